"""
`clientela restore`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Way, verb


if TYPE_CHECKING:
    from clientela.adapters.settings import Settings


@verb
def restore(
    file: Annotated[Path, typer.Argument(help="A copy made by backup.", dir_okay=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> Exit | None:
    """
    Put a copy in the place of a store that is not served.

    Who was erased since the copy was made is erased again before anything is served.
    """
    import sys

    from clientela.adapters.sqlite.copies import restore as put_back

    settings = Way(data_dir=data_dir).settings()
    if settings.database_url:
        raise VerbError(
            Exit.FAILED,
            "the store is in PostgreSQL, which is restored by its own tools",
            advice="Use pg_restore or point-in-time recovery; docs/postgres.md says how.",
        )
    file.stat()
    _check_keys(settings, file)
    question = f"Put {file} in the place of {settings.database}?"
    is_asking = settings.database.exists() and not yes
    if is_asking and not (sys.stdin.isatty() and typer.confirm(question)):
        raise VerbError(Exit.FAILED, "nothing was restored", advice="Say --yes to agree.")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    put_back(file, settings.database)
    print(f"Restored {settings.database}.")
    if not settings.key_file.exists():
        print(f"Put the key file of this store at {settings.key_file} before you start it.")
    return None


def _check_keys(settings: Settings, file: Path) -> None:
    """Put nothing in the place of a store that the keys there do not open, if there are some."""
    from clientela.adapters.keys.failures import KeyFileError
    from clientela.adapters.keys.keyfile import KeyFile
    from clientela.adapters.sqlite.copies import fence_in

    try:
        ring = KeyFile(settings.key_file).load()
    except KeyFileError:
        # What is wrong with it is told by whoever serves the store.
        return
    fence = fence_in(file)
    if fence and not ring.holds(fence):
        raise VerbError(
            Exit.FAILED,
            f"{settings.key_file} does not open {file}: keys were rotated in between",
            advice="Put the key file of its time there first, or name a later copy.",
        )
