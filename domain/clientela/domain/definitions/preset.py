"""
Presets: the models of the source texts, shipped as documents like a company's own.
"""

from __future__ import annotations

import enum
import functools

from importlib import resources
from typing import Any

from clientela.domain.definitions.documents import Plain, parse


class LifecyclePreset(enum.Enum):
    """Lifecycle models that ship with the package."""

    CLM = "clm"
    """Five stages of customer lifecycle management (LIFE-4)."""

    EFREMOVA = "efremova"
    """Six stages of the client ladder (LIFE-6)."""


def preset_text(preset: LifecyclePreset) -> str:
    """The document of *preset*, comments included."""
    folder = resources.files("clientela.domain.definitions") / "presets"
    return (folder / f"{preset.value}.toml").read_text(encoding="utf-8")


@functools.cache
def _model(preset: LifecyclePreset) -> Plain:
    [model] = parse(preset_text(preset))["lifecycle"]["models"]
    return dict(model)


def lifecycle_preset(preset: LifecyclePreset) -> dict[str, Any]:
    """The lifecycle model of *preset* as plain data."""
    return dict(_model(preset))
