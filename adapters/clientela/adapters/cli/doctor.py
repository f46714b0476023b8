"""
`clientela doctor`.
"""

from __future__ import annotations

import asyncio
import os

from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from clientela.adapters.cli.failure import Exit
from clientela.adapters.cli.options import DataDir, Format, Output, Way, verb


if TYPE_CHECKING:
    from clientela.adapters.checks.finding import Finding
    from clientela.adapters.settings import Settings


@verb
def doctor(
    *,
    data_dir: DataDir = None,
    output: Format = Output.TABLE,
    is_quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say only what is not good.")
    ] = False,
) -> Exit | None:
    """
    Look at what a service needs: machine, files, keys, store, clock, leases, broker, settings.

    Changes nothing. Ends with 5 if anything is bad.
    """
    from clientela.adapters.checks.finding import State
    from clientela.adapters.cli.output import table, written

    found = asyncio.run(_findings(Way(data_dir=data_dir).settings()))
    told = [each for each in found if each.state is not State.GOOD or not is_quiet]
    if output is Output.JSON:
        written([attrs.asdict(each) for each in told])
    elif told:
        table("", ("", "what", ""), [(each.state, each.what, each.text) for each in told])
    return Exit.PROBLEMS if any(each.state is State.BAD for each in found) else None


async def _findings(settings: Settings) -> list[Finding]:
    from clientela.adapters.checks.exposure import exposure, service
    from clientela.adapters.checks.file_store import file_store
    from clientela.adapters.checks.files import folder
    from clientela.adapters.checks.finding import bad
    from clientela.adapters.checks.machine import machine
    from clientela.adapters.settings import NO_BUS

    found = [*machine(settings), folder(settings)]
    if not settings.database_url:
        found += file_store(settings)
    else:
        try:
            from clientela.adapters.checks.server_store import server_store
        except ModuleNotFoundError:
            found.append(
                bad("database", "its driver is missing: `pip install clientela[postgres]`")
            )
        else:
            found += [finding async for finding in server_store(settings)]
    if settings.bus != NO_BUS:
        try:
            from clientela.adapters.checks.broker import broker
        except ModuleNotFoundError:
            found.append(bad("broker", "its client is missing: `pip install clientela[nats]`"))
        else:
            found += [finding async for finding in broker(settings)]
    return [*found, *service(settings), *exposure(settings, os.environ)]
