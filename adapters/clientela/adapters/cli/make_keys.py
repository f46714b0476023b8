"""
`clientela keys make`.
"""

from __future__ import annotations

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Way, verb


@verb
def make_keys(*, data_dir: DataDir = None) -> Exit | None:
    """
    Make the key file of a store that is still to be made, to be handed to several processes.

    A service makes its own on first start; processes over one PostgreSQL must share one.
    """
    from clientela.adapters.keys.keyfile import KeyFile

    settings = Way(data_dir=data_dir).settings()
    if settings.key_file.exists() or settings.database.exists():
        raise VerbError(
            Exit.FAILED,
            f"{settings.data_dir} holds a store or keys already",
            advice="Name another folder with --data-dir.",
        )
    KeyFile(settings.key_file).create()
    print(f"Made {settings.key_file}. Whoever has it opens what is sealed with it; keep a copy.")
    return None
