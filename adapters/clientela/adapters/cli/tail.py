"""
`clientela tail`.
"""

from __future__ import annotations

import json
import re
import sys

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Format, Output, Way, done, verb


if TYPE_CHECKING:
    from rich.text import Text

    from clientela.adapters.jetstream.connection import Connects
    from clientela.adapters.jetstream.following import Start
    from clientela.adapters.settings import Settings
    from clientela.services.bus import Held

AGO = re.compile(r"(\d{1,6})([smhd])")
"""So many seconds, minutes, hours or days."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

STYLES = {
    "client": "green",
    "wallet": "yellow",
    "unit": "blue",
    "employee": "cyan",
    "definitions": "magenta",
}
"""Colours of the kinds of journal."""

VALUE_LENGTH_MAX = 24
"""Characters of a value that are shown; hashes are longer and say nothing to people."""

VALUES_MAX = 6
"""Values of an event that are shown."""


@verb
def tail(
    *,
    journal: Annotated[
        str, typer.Option(help="Only this journal, for instance client/petra.")
    ] = "",
    kind: Annotated[
        str, typer.Option(help="Only journals of this kind: client, wallet, unit ...")
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="From then on: 10m, 2h, 3d ago, a moment with its zone, or `start`."),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, or end with what there is.")
    ] = True,
    data_dir: DataDir = None,
    bus: Annotated[
        str | None, typer.Option(help="Broker, nats://host:port. Default: that of the data folder.")
    ] = None,
    bus_credentials: Annotated[
        Path | None, typer.Option(help="What it lets us in by: a token, or a .creds file.")
    ] = None,
    bus_ca: Annotated[Path | None, typer.Option(help="Who signed its certificates (PEM).")] = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Follow events as they leave on the bus: what happened, where, and by whom.

    There are no personal values on the bus, so none are shown. Ctrl-C ends it.
    """
    way = Way(data_dir=data_dir, has_bus=True)
    settings = way.settings(bus=bus, bus_credentials=bus_credentials, bus_ca=bus_ca)
    return done(_told(settings, journal, kind, _start(since), output, is_endless=follow))


def _start(since: str) -> Start:
    from clientela.adapters.jetstream.following import Start

    ago = AGO.fullmatch(since)
    if ago is not None:
        passed = timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return Start(at=datetime.now(UTC) - passed)
    if since == "start":
        return Start(sequence=1)
    if not since:
        return Start()
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise VerbError(
            Exit.USAGE, "--since: expected 10m, 2h, 3d, start, or 2026-03-02T12:00+02:00"
        )
    return Start(at=at.astimezone(UTC))


async def _told(
    settings: Settings, journal: str, kind: str, start: Start, output: Output, *, is_endless: bool
) -> Exit | None:
    from rich.console import Console

    from clientela.adapters.jetstream.following import followed
    from clientela.services.event_messages import JOURNAL

    subject = _subject(journal, kind)
    console = Console(highlight=False, soft_wrap=True)
    broker = _broker(settings)
    if sys.stderr.isatty():
        print(f"Following {subject} on {settings.bus}; Ctrl-C ends it.", file=sys.stderr)
    async for held in followed(broker, subject, start, is_endless=is_endless):
        if journal and held.headers.get(JOURNAL) != journal:
            continue
        if output is Output.JSON:
            print(json.dumps(_plain(held), ensure_ascii=False), flush=True)
        else:
            console.print(_line(held))
    return None


def _subject(journal: str, kind: str) -> str:
    """The subject that holds what is asked for, and as little else as can be."""
    from clientela.domain.ids import JournalId, JournalKind, is_id
    from clientela.services.partitions import SUBJECT, subject_of

    kinds = {each.value for each in JournalKind}
    if kind and kind not in kinds:
        raise VerbError(Exit.USAGE, f"--kind: expected one of {', '.join(sorted(kinds))}")
    if not journal:
        return f"{SUBJECT}.{kind or '*'}.*"
    of, _, id_ = journal.partition("/")
    if of not in kinds or not is_id(id_) or kind not in {"", of}:
        raise VerbError(Exit.USAGE, "--journal: expected a kind and an id, such as client/petra")
    return subject_of(JournalId(JournalKind(of), id_))


def _broker(settings: Settings) -> Connects:
    from clientela.adapters.events_out import broker_of
    from clientela.adapters.settings import NO_BUS

    if settings.bus == NO_BUS:
        raise VerbError(
            Exit.FAILED,
            "there is no bus",
            advice="Start the service with --bus, or name a broker here with --bus nats://...",
        )
    return broker_of(settings)


def _plain(held: Held) -> dict[str, Any]:
    """A message as plain data, for programs."""
    return {
        "sequence": held.sequence,
        "subject": held.subject,
        "headers": dict(held.headers),
        "body": json.loads(held.body),
    }


def _line(held: Held) -> Text:
    from rich.text import Text

    from clientela.services.event_messages import EVENT, JOURNAL, VERSION

    body: dict[str, Any] = json.loads(held.body)
    envelope: dict[str, Any] = body.get("envelope", {})
    journal = held.headers.get(JOURNAL, "")
    style = STYLES.get(journal.partition("/")[0], "white")
    at = datetime.fromisoformat(envelope.get("occurred_at", "1970-01-01T00:00:00+00:00"))
    name = held.headers.get(EVENT, "").rpartition(".v")[0]
    return Text.assemble(
        (f"{at:%Y-%m-%d %H:%M:%S}", "dim"),
        "  ",
        (f"{journal}@{held.headers.get(VERSION, '')}", style),
        "  ",
        (name, "bold"),
        "  ",
        (str(envelope.get("actor", "")), "dim"),
        "  ",
        _values(body.get("payload", {})),
    )


def _values(payload: dict[str, Any]) -> str:
    """What an event says, in short; ids of the journal itself are left out."""
    shown = [f"{name} {text}" for name, value in payload.items() if (text := _short(value))]
    more = ["..."] if len(shown) > VALUES_MAX else []
    return ", ".join([*shown[:VALUES_MAX], *more])


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        text = str(value)
        return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}..."
    if isinstance(value, list):
        items: list[Any] = [*value]
        return f"[{len(items)}]"
    if isinstance(value, dict):
        return _amount(cast("dict[str, Any]", value))
    return ""


def _amount(fields: dict[str, Any]) -> str:
    """An amount; a mark for what is sealed; nothing for anything else."""
    if fields.keys() == {"sealed"}:
        return "(sealed)"
    if not {"minor", "currency"} <= fields.keys():
        return ""
    from clientela.domain.money import Money

    return str(Money(fields["minor"], fields["currency"]))
