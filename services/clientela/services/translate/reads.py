"""
What reads have in common: the moment they speak of, and how fresh they must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from google.protobuf.message import Message

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import JournalId
from clientela.services.translate.fields import journal_id, moment, version
from clientela.services.translate.refusals import VersionAheadError
from clientela.services.translate.required import check_required
from clientela.v1 import common_pb2


STALENESS_MAX = timedelta(seconds=60)
"""How old a cached record may be that a caller is content with."""


@attrs.frozen(kw_only=True)
class AsOf:
    """
    The moment a read speaks of; at most one of the two is given.

    Attributes:
        known_at: Versions up to which facts were known; None for all.

        effective_at: When what is asked about was the case; None for now.
    """

    known_at: Mapping[JournalId, int] | None = None
    effective_at: datetime | None = None

    @property
    def is_now(self) -> bool:
        """Whether it speaks of the present."""
        return self.known_at is None and self.effective_at is None


@attrs.frozen(kw_only=True)
class Consistency:
    """
    How fresh an answer must be.

    Attributes:
        at_least: Versions that it must include.

        max_staleness: How old a cached record may be; 0 for not at all.
    """

    at_least: Mapping[JournalId, int] = attrs.field(factory=dict[JournalId, int])
    max_staleness: timedelta = timedelta()

    def check_reached(self, heads: Mapping[JournalId, int]) -> None:
        """
        Check that journals have come as far as they must have.

        Args:
            heads: Their versions as committed; journals that are not there are at 0.

        Raises:
            VersionAheadError: one has not.
        """
        check_reached(self.at_least, heads)


def check_reached(wanted: Mapping[JournalId, int], heads: Mapping[JournalId, int]) -> None:
    """
    Check that journals have come as far as *wanted*.

    Raises:
        VersionAheadError: one has not.
    """
    for each, least in sorted(wanted.items()):
        if heads.get(each, 0) < least:
            raise VersionAheadError(each, least)


def check_read(request: Message) -> None:
    """
    Check that *request* says what it must say.

    Raises:
        InvalidValueError: a required field is missing.
    """
    check_required(request)


def as_of(request: Any, *, by_effect: bool) -> AsOf:
    """
    The moment that the field `as_of` of *request* asks about.

    Args:
        request: Of a read that takes a moment.

        by_effect: Whether what is asked about is ordered by when things happened.

    Raises:
        InvalidValueError: journals or versions are malformed, or `effective_at` is given for what
            cannot tell.
    """
    match request.as_of.WhichOneof("clock") if request.HasField("as_of") else None:
        case "known_at":
            known = request.as_of.known_at.versions
            return AsOf(known_at=_versions(known, "as_of.known_at.versions"))
        case "effective_at" if by_effect:
            return AsOf(effective_at=moment(request.as_of.effective_at))
        case "effective_at":
            raise InvalidValueError("as_of", "known_at: this is ordered by when it was recorded")
        case _:
            return AsOf()


def consistency(request: Any) -> Consistency:
    """
    How fresh the answer to *request* must be.

    Raises:
        InvalidValueError: journals, versions or the staleness are malformed.
    """
    wire = request.consistency
    staleness = timedelta()
    if wire.HasField("max_staleness"):
        staleness = wire.max_staleness.ToTimedelta()
    if not timedelta() <= staleness <= STALENESS_MAX:
        raise InvalidValueError("consistency.max_staleness", "0 to 60 seconds")
    at_least = _versions(wire.at_least, "consistency.at_least")
    return Consistency(at_least=at_least, max_staleness=staleness)


def _versions(wire: Iterable[common_pb2.JournalVersion], path: str) -> dict[JournalId, int]:
    versions: dict[JournalId, int] = {}
    for index, each in enumerate(wire):
        place = f"{path}[{index}]"
        key = journal_id(each.journal, f"{place}.journal")
        if key in versions:
            raise InvalidValueError(f"{place}.journal", "each journal once")
        versions[key] = version(each.version, f"{place}.version")
    return versions
