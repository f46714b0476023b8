"""
`clientela serve`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Way, bus_said, done, verb


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
    log_format: Annotated[
        str | None, typer.Option(help="json or text; in production json if not said.")
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(help="debug, info, warning or error; in production info if not said."),
    ] = None,
    health_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port on loopback that tells health and no more."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port where Prometheus reads figures.")
    ] = None,
    metrics_host: Annotated[
        str | None,
        typer.Option(help="Address of that port; one that others reach takes the certificate."),
    ] = None,
    trace_endpoint: Annotated[
        str | None, typer.Option(help="Where spans go (OTLP over gRPC), http://host:port.")
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(help="PostgreSQL database of the store, postgresql://user@host/name."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Do only this: service, scheduler, relay or inbound; may be said several times."
            " Needs a database that others do the rest over. Default: all.",
        ),
    ] = None,
    bus: Annotated[
        str | None,
        typer.Option(
            help="Where events leave: none, embedded (a NATS server of our own, if not said"
            " otherwise), or nats://host:port.",
        ),
    ] = None,
    bus_credentials: Annotated[
        Path | None, typer.Option(help="What NATS lets us in by: a token, or a .creds file.")
    ] = None,
    bus_ca: Annotated[
        Path | None, typer.Option(help="Who signed the certificates of NATS (PEM).")
    ] = None,
    bus_create: Annotated[
        bool | None,
        typer.Option("--bus-create/--no-bus-create", help="Make the stream if there is none."),
    ] = None,
    bus_replicas: Annotated[
        int | None, typer.Option(min=1, max=5, help="Copies of a stream that is made.")
    ] = None,
    inbound: Annotated[
        bool | None,
        typer.Option(
            "--inbound/--no-inbound",
            help="Take messages of other systems from the bus. Default: if there is one.",
        ),
    ] = None,
    inbound_actor: Annotated[
        str | None, typer.Option(help="Service on whose behalf messages speak. Default: inbox.")
    ] = None,
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
        log_format=log_format,
        log_level=log_level,
        health_port=health_port,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        trace_endpoint=trace_endpoint,
        database_url=database_url,
        only=",".join(only) if only else None,
        bus=bus if only else bus_said(bus),
        bus_credentials=bus_credentials,
        bus_ca=bus_ca,
        bus_create=bus_create,
        bus_replicas=bus_replicas,
        inbound=inbound,
        inbound_actor=inbound_actor,
    )
    return done(_served(settings))


async def _served(settings: Settings) -> Exit | None:
    import asyncio
    import contextlib
    import resource
    import signal

    from clientela.adapters.bootstrap import serving
    from clientela.adapters.garbage import look_seldom
    from clientela.adapters.logs import Form, set_up

    set_up(*settings.log)
    # A core dump would hold keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with serving(settings) as running:
        look_seldom()
        if settings.log[0] is Form.TEXT:
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
        if settings.log[0] is Form.TEXT:
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
    folder = settings.data_dir.resolve()
    if settings.database_url:
        print(f"Its data is in PostgreSQL, its keys are in {folder}.")
    else:
        print(f"Its data is in {folder}.")
    if running.bus:
        print(f"Its events leave on {running.bus}; `clientela tail{where}` follows them.")
    if time:
        print(f"Its clock is {time}; `clientela advance --to DATE{where}` moves it.")
    print("Next, in another terminal:")
    print(f"  clientela apply FILE.toml{where}          set models, programme and policies")
    print(f"  clientela import purchases FILE --map MAPPING.toml --create-clients{where}")
    print(f"  clientela stats{where}")
    print("Ctrl-C stops it.", flush=True)
