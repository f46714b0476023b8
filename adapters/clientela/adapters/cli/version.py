"""
`clientela version`.
"""

from __future__ import annotations

from clientela.adapters.cli.options import verb


@verb
def version() -> None:
    """Say which version this is."""
    from importlib.metadata import version as version_of

    print(f"clientela {version_of('clientela')}")
