from __future__ import annotations

import pytest

from clientela.domain.definitions.loading import load
from clientela.domain.definitions.preset import LifecyclePreset, preset_text
from clientela.domain.ids import Code
from clientela.domain.lifecycle.model import LifecycleDefinition


@pytest.mark.parametrize(
    ("preset", "stages", "ends"),
    [
        (
            LifecyclePreset.CLM,
            ["attraction", "interest", "evaluation", "purchase", "loyalty", "competitor"],
            ["competitor"],
        ),
        (
            LifecyclePreset.EFREMOVA,
            ["potential", "visitor", "buyer", "regular", "adherent", "former"],
            ["former"],
        ),
    ],
)
def test_preset_goes_through_the_same_door_as_a_company_s_own(preset, stages, ends):
    """
    LIFE-4, LIFE-6: a preset is a document with every stage of the source, in two languages.
    """
    section = load(preset_text(preset), {"lifecycle": LifecycleDefinition})[LifecycleDefinition]
    [model] = section.models

    assert stages == [stage.id for stage in model.stages]
    assert ends == [stage.id for stage in model.stages if stage.end]
    assert not model.by_hand
    for labelled in (model, *model.stages):
        assert [Code("en"), Code("ru")] == sorted(labelled.labels)


def test_both_presets_are_the_default():
    """
    LIFE-34: without a word of the company a client is followed in both models at the same time.
    """
    sections = {"lifecycle": LifecycleDefinition}

    assert ["clm", "efremova"] == [model.id for model in LifecycleDefinition().models]
    assert {LifecycleDefinition: LifecycleDefinition()} == load("[lifecycle]", sections)
    only = load('[lifecycle]\npresets = ["efremova"]', sections)[LifecycleDefinition]
    assert ["efremova"] == [model.id for model in only.models]
    assert () == load("[lifecycle]\npresets = []", sections)[LifecycleDefinition].models
