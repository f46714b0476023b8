"""
The codec and the fold, in process: beside protobuf of the same content, and over the length.
"""

from __future__ import annotations

import time

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from benchmarks.rounds import MICROSECONDS, Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.workload import TEMPLATE, lived
from clientela.domain.codec import Codec
from clientela.domain.event import Actor, ActorKind, RecordedEvent
from clientela.domain.facts import Direction, InteractionRecorded, Purpose
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    EventId,
    JournalId,
    JournalKind,
    PrincipalId,
    Ref,
    UnitId,
    client_journal,
)
from clientela.domain.rulebook import Rulebook
from clientela.services.envelope import decode, encode
from clientela.services.rows import Head, StoredEvent
from clientela.v1 import common_pb2, event_pb2, interaction_pb2


SHORT = 20
LONG = 2_000
"""Events of the journals whose fold is compared."""

LONG_QUICKLY = 200
"""The same, of a quick run."""

JOURNAL = client_journal(ClientId(TEMPLATE))


def spent(work: Callable[[], object], seconds: float) -> float:
    """Microseconds of CPU of one time of *work*, over some *seconds* of it."""
    count = 0
    begin = time.process_time()
    end = begin
    while end < begin + seconds:
        work()
        count += 1
        end = time.process_time()
    return (end - begin) / count * MICROSECONDS


def built(recorded: RecordedEvent) -> bytes:
    """The same event as protobuf: envelope and payload."""
    made: InteractionRecorded = recorded.event
    payload = interaction_pb2.RecordInteractionRequest(
        client_id=made.client_id,
        channel=made.channel,
        direction=interaction_pb2.DIRECTION_INBOUND,
        purpose=interaction_pb2.PURPOSE_SERVICE,
        kind=made.kind,
        employee_id=made.employee_id or "",
        etag=made.unit_id or "",
    )
    envelope = event_pb2.EventEnvelope(
        event_id=recorded.event_id,
        journal=common_pb2.JournalId(kind=common_pb2.JOURNAL_KIND_CLIENT, id=recorded.journal.id),
        version=recorded.version,
        name="interaction-recorded",
        schema_version=1,
        occurred_at=_timestamp(recorded.occurred_at),
        recorded_at=_timestamp(recorded.recorded_at),
        actor=common_pb2.Actor(kind=common_pb2.ACTOR_KIND_SYSTEM, id=recorded.actor.id),
        append_id=recorded.append_id,
        index=recorded.index,
        count=recorded.count,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.causation_id or "",
        rule=recorded.rule,
        payload=payload.SerializeToString(),
    )
    return envelope.SerializeToString()


def parsed(body: bytes) -> RecordedEvent:
    """The attrs values of an event that came as protobuf."""
    envelope = event_pb2.EventEnvelope.FromString(body)
    payload = interaction_pb2.RecordInteractionRequest.FromString(envelope.payload)
    return RecordedEvent(
        event_id=EventId(envelope.event_id),
        journal=JournalId(JournalKind.CLIENT, envelope.journal.id),
        version=envelope.version,
        event=InteractionRecorded(
            client_id=ClientId(payload.client_id),
            channel=Code(payload.channel),
            direction=Direction.INBOUND,
            purpose=Purpose.SERVICE,
            kind=Code(payload.kind),
            employee_id=EmployeeId(payload.employee_id),
            unit_id=UnitId(payload.etag),
        ),
        occurred_at=envelope.occurred_at.ToDatetime(UTC),
        recorded_at=envelope.recorded_at.ToDatetime(UTC),
        actor=Actor(ActorKind.SYSTEM, PrincipalId(envelope.actor.id)),
        on_behalf_of=None,
        unit=None,
        request=None,
        append_id=envelope.append_id,
        index=envelope.index,
        count=envelope.count,
        correlation_id=envelope.correlation_id,
        causation_id=None,
        rule=envelope.rule,
        definition=None,
        because=tuple(Ref(JOURNAL, fact.version) for fact in envelope.because),
    )


def _timestamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def _folded(codec: Codec, rulebook: Rulebook, rows: Sequence[StoredEvent]) -> None:
    rulebook.fold(rulebook.empty(JOURNAL), (decode(codec, row) for row in rows))


@contextmanager
def _codec(run: Run) -> Iterator[Round]:
    company = lived(LONG_QUICKLY if run.is_quick else LONG)
    rulebook = company.rulebook
    codec = Codec(rulebook.event_classes)
    history = company.history(JOURNAL)
    rows = encode(codec, history, {JOURNAL: Head()})
    one = next(known for known in history if isinstance(known.event, InteractionRecorded))
    wire = built(one)

    def measured() -> Figures:
        seconds = run.seconds / 2
        encoding, building = (
            spent(lambda: codec.body(one), seconds),
            spent(lambda: built(one), seconds),
        )
        short = spent(lambda: _folded(codec, rulebook, rows[:SHORT]), seconds) / SHORT
        parsing = spent(lambda: parsed(wire), seconds)
        long = spent(lambda: _folded(codec, rulebook, rows), seconds) / len(rows)
        decoding = spent(lambda: [decode(codec, row) for row in rows[:SHORT]], seconds) / SHORT
        return {
            "16": ratio(encoding, building),
            "17": ratio(short, parsing),
            "18": ratio(long, short),
            "codec.encode us": encoding,
            "codec.protobuf build us": building,
            "codec.decode us": decoding,
            f"codec.decode and fold us, {SHORT} events": short,
            f"codec.decode and fold us, {len(rows)} events": long,
            "codec.protobuf parse us": parsing,
        }

    yield measured


CODEC = Part(name="codec", about="codec and fold in process: goals 16-18", open=_codec)
