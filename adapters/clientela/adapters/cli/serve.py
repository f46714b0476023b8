"""
`clientela serve`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Way, done, verb


if TYPE_CHECKING:
    from clientela.adapters.bootstrap import Running
    from clientela.adapters.settings import Settings


@verb
def serve(
    *,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 lets the system choose.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(help="development (callers are believed, loopback only) or production."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of phone numbers without country code (ISO 3166).")
    ] = None,
    jwks_file: Annotated[Path | None, typer.Option(help="Public keys of the issuer.")] = None,
    callers_file: Annotated[
        Path | None, typer.Option(help="Who is behind which client certificate (TOML).")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="Who issues tokens.")] = None,
    audience: Annotated[str | None, typer.Option(help="For whom tokens are issued.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="Who signs certificates of callers (PEM).")
    ] = None,
    virtual_clock: Annotated[
        bool,
        typer.Option("--virtual-clock", help="A new store runs in virtual time, for trials."),
    ] = False,
    reflection: Annotated[
        bool, typer.Option("--reflection", help="Let tools ask what is served.")
    ] = False,
) -> Exit | None:
    """
    Run the service until it is told to stop.

    Every option is also an environment variable: --data-dir is CLIENTELA_DATA_DIR. SIGTERM and
    Ctrl-C let calls under way finish first.
    """
    settings = Way(data_dir=data_dir).settings(
        host=host,
        port=port,
        mode=mode,
        region=region,
        jwks_file=jwks_file,
        callers_file=callers_file,
        issuer=issuer,
        audience=audience,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        virtual_clock=virtual_clock or None,
        reflection=reflection or None,
    )
    return done(_served(settings))


async def _served(settings: Settings) -> Exit | None:
    import asyncio
    import contextlib
    import signal

    from clientela.adapters.bootstrap import serving

    _log()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with serving(settings) as running:
        _greet(settings, running)
        stopped = asyncio.create_task(stopping.wait())
        failed = asyncio.create_task(running.keeper.store.failed())
        await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise VerbError(
                Exit.FAILED,
                f"the store has stopped: {failed.result()}",
                advice="See to the disk, then start again; nothing acknowledged is lost.",
            )
        failed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await failed
        print("Stopping: calls under way may finish.", flush=True)
    return None


def _greet(settings: Settings, running: Running) -> None:
    from clientela.adapters.settings import DATA_DIR, Mode
    from clientela.services.clocks import VirtualClock

    where = "" if settings.data_dir == DATA_DIR else f" --data-dir {settings.data_dir}"
    mode = settings.mode.value
    if settings.mode is Mode.DEVELOPMENT:
        mode += ": callers are who they say they are, this machine only"
    clock = running.core.clock
    time = f"virtual, {clock.now():%Y-%m-%d %H:%M} UTC" if isinstance(clock, VirtualClock) else ""
    print(f"Clientela listens on {running.target} ({mode}).")
    print(f"Its data is in {settings.data_dir.resolve()}.")
    if time:
        print(f"Its clock is {time}; `clientela advance --to DATE{where}` moves it.")
    print("Next, in another terminal:")
    print(f"  clientela apply FILE.toml{where}          set models, programme and policies")
    print(f"  clientela import purchases FILE --map MAPPING.toml --create-clients{where}")
    print(f"  clientela stats{where}")
    print("Ctrl-C stops it.", flush=True)


def _log() -> None:
    import logging

    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
