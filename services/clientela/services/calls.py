"""
Calls and their outcomes: what the command path takes and gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from clientela.domain.context import Definitions
from clientela.domain.errors import Category, DomainError
from clientela.domain.event import SYSTEM, Actor, RecordedEvent
from clientela.domain.ids import JournalId, UnitId
from clientela.domain.record import Record
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Answer


class ContendedError(DomainError):
    """The record is so busy that the command lost every time; trying again is safe."""

    reason = "VERSION_CONFLICT"
    category = Category.CONFLICT

    def __init__(self) -> None:
        super().__init__("this record is changing too fast; try again with the same request id")


class EtagMismatchError(DomainError):
    """
    The part of the record that the caller read has changed since.

    Attributes:
        rule_set: Which part.

        current: Its etag now.
    """

    reason = "ETAG_MISMATCH"
    category = Category.CONFLICT

    def __init__(self, rule_set: str, current: str) -> None:
        self.rule_set = rule_set
        self.current = current
        super().__init__(f"{rule_set} has changed since it was read; read it again")

    def details(self) -> dict[str, str]:
        """The part and its present etag."""
        return {"rule_set": self.rule_set, "etag": self.current}


class StoredRefusalError(DomainError):
    """
    The refusal that the same request got before: same reason, same text, same data.

    Attributes:
        answer: As it was stored.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.reason = answer.reason
        self.category = Category(answer.category)
        super().__init__(answer.message)

    def details(self) -> dict[str, str]:
        """As given the first time."""
        return dict(self.answer.details)


@attrs.frozen(kw_only=True)
class Call:
    """
    Who wants a command carried out, and how.

    Attributes:
        actor: Who asks.

        on_behalf_of: Whom the actor stands in for.

        unit: The unit the actor acts for.

        request_id: The caller's id of this request, unique in the company; empty for none.

        validate_only: Decide and append nothing.

        etags: By rule set: the etag that its part of the record must still have.

        at: The moment to decide at, for imports and virtual time; None means the clock's.

        keep_refusals: Whether a refusal is stored as the answer; not for imports and consumers,
            whose refusals may be mended and sent again.

        correlation_id: Shared by everything that one outside request sets off.

        is_likely_repeat: Whether the request was probably answered before: that is looked up first,
            instead of being found out after deciding again. Either way it comes to the same.
    """

    actor: Actor = SYSTEM
    on_behalf_of: Actor | None = None
    unit: UnitId | None = None
    request_id: str = ""
    validate_only: bool = False
    etags: Mapping[str, str] = attrs.field(factory=dict[str, str])
    at: datetime | None = None
    keep_refusals: bool = True
    correlation_id: str = ""
    is_likely_repeat: bool = False


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What a command came to.

    Attributes:
        record: The record after it.

        events: The events it appended; empty when it was so already.

        versions: Versions of the named journals after it.

        at: When it was decided; of a repeat, when it was the first time.

        definitions: The company's, all versions, as it was decided by; of a repeat, as they are.

        replayed: Whether this repeats the answer to the same request.

        keys: Keys of persons that it made; those of a trial are not stored.
    """

    record: Record
    events: tuple[RecordedEvent, ...]
    versions: Mapping[JournalId, int]
    at: datetime
    definitions: Definitions
    replayed: bool = False
    keys: tuple[KeyRow, ...] = ()
