"""
Rate limits: how often one principal may call, by token buckets.

A bucket holds as many calls as may come at once and fills at a steady rate. Services of the
company are trusted with as much as there is room for; people and partners are not.
"""

from __future__ import annotations

import logging
import time

from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType

import attrs

from google.protobuf.message import Message

from clientela.domain.event import Actor, ActorKind
from clientela.services.access import CallClass, MethodAccess
from clientela.services.logs import fields
from clientela.services.personal_fields import messages_in
from clientela.services.refusals import RateLimitedError


LOOK_UP = "look-up"
"""Name of the bucket of exact look-ups."""

RETRY_AFTER = timedelta(seconds=5)
"""When whoever has too many answers under way should try again."""

BUCKETS_MAX = 50_000
"""Buckets kept; the longest unused goes first, which is full again in any case."""

_LOG = logging.getLogger(__name__)


@attrs.frozen
class Rate:
    """
    How often something may be done.

    Attributes:
        count: So many times, and so many at once.

        seconds: In so many seconds, evenly.
    """

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """How fast a bucket fills."""
        return self.count / self.seconds


@attrs.frozen(kw_only=True)
class RateRules:
    """
    How often principals may call.

    Attributes:
        classes: By class of call.

        methods: By full name of the rpc; counted besides the class.

        look_ups: Fields of a request, by full name of the rpc, that look somebody up exactly.

        trials: Fields by full name of a request, or of what a request brings along, whose numbers
            a trial tells of as a look-up does: whether somebody has them, leaving nothing behind.

        look_up: How often anybody may; counted besides the rpc.

        many: Fields of a request, by full name of the rpc, each of whose items is a call.

        at_once: How many answers of an rpc may be under way, by its full name.

        unlimited: Kinds of principal that are not counted.
    """

    classes: Mapping[CallClass, Rate] = MappingProxyType(
        {
            CallClass.COMMAND: Rate(20, 1),
            CallClass.READ: Rate(50, 1),
            CallClass.STREAM: Rate(2, 1),
        }
    )
    methods: Mapping[str, Rate] = MappingProxyType(
        {
            # Against hoarding of clients.
            "clientela.v1.OwnershipService.Approach": Rate(60, 60),
            "clientela.v1.ClientService.FindClients": Rate(5, 1),
            "clientela.v1.ClientService.EraseClient": Rate(10, 3_600),
        }
    )
    # Against trying out phone numbers; a till or a site calls as a service.
    look_ups: Mapping[str, tuple[str, ...]] = MappingProxyType(
        {"clientela.v1.ClientService.FindClients": ("identifier", "card_number")}
    )
    trials: Mapping[str, str] = MappingProxyType(
        {
            "clientela.v1.RegisterClientRequest": "identifiers",
            "clientela.v1.AddIdentifierRequest": "identifier",
            "clientela.v1.IssueCardRequest": "number",
            "clientela.v1.ReplaceCardRequest": "number",
        }
    )
    look_up: Rate = Rate(30, 60)
    many: Mapping[str, str] = MappingProxyType(
        {"clientela.v1.HistoryService.RecordHistory": "commands"}
    )
    at_once: Mapping[str, int] = MappingProxyType({"clientela.v1.ClientService.ExportClient": 2})
    unlimited: frozenset[ActorKind] = frozenset({ActorKind.SERVICE})


@attrs.define
class _Bucket:
    """
    What is left to one principal.

    Attributes:
        left: Calls, with fractions; below 0 after a call that brought many along.

        at: When that was so, in monotonic seconds.
    """

    left: float
    at: float


class RateLimits:
    """
    Counts calls.

    Args:
        rules: How often principals may call.

        monotonic: Seconds.
    """

    def __init__(
        self, rules: RateRules | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules or RateRules()
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[Actor, str], _Bucket] = OrderedDict()
        self._under_way: Counter[tuple[Actor, str]] = Counter()

    def count(self, actor: Actor, access: MethodAccess) -> None:
        """
        Count one call of *actor*.

        Raises:
            RateLimitedError: it comes too soon; says when it would not.
        """
        if actor.kind in self._rules.unlimited:
            return
        if (rate := self._rules.methods.get(access.method)) is not None:
            self._take(actor, access.method, rate)
        if (rate := self._rules.classes.get(access.call_class)) is not None:
            self._take(actor, access.call_class.value, rate)

    def count_look_up(self, actor: Actor, access: MethodAccess, request: Message) -> None:
        """
        Count that *actor* looks somebody up, if that is what *request* does, be it by trial.

        Numbers beyond the first are for the next look-up to wait for.

        Raises:
            RateLimitedError: it comes too soon; told in the log, since that is how numbers are
                tried out.
        """
        if actor.kind in self._rules.unlimited:
            return
        names = self._rules.look_ups.get(access.method, ())
        numbers = any(map(request.HasField, names)) + self._tried(access, request)
        if not numbers:
            return
        try:
            self._take(actor, LOOK_UP, self._rules.look_up).left -= numbers - 1
        except RateLimitedError:
            _LOG.warning("somebody may be trying out numbers", extra=fields(method=access.path))
            raise

    def count_many(self, actor: Actor, access: MethodAccess, request: Message) -> None:
        """
        Count calls of *actor* that *request* brings along, beyond the first; for the next call to
        wait until the bucket holds one again.
        """
        field = self._rules.many.get(access.method)
        rate = self._rules.classes.get(access.call_class)
        if field is None or rate is None or actor.kind in self._rules.unlimited:
            return
        more = len(getattr(request, field)) - 1
        self._filled(actor, access.call_class.value, rate).left -= max(0, more)

    @contextmanager
    def under_way(self, actor: Actor, access: MethodAccess) -> Generator[None]:
        """
        Count an answer to *actor* as under way while the block runs.

        Raises:
            RateLimitedError: there are as many as there may be.
        """
        most, key = self._rules.at_once.get(access.method), (actor, access.method)
        if most is None or actor.kind in self._rules.unlimited:
            yield
            return
        if self._under_way[key] >= most:
            raise RateLimitedError(RETRY_AFTER)
        self._under_way[key] += 1
        try:
            yield
        finally:
            self._under_way[key] -= 1
            # Whoever has none takes no room.
            self._under_way += Counter()

    def _tried(self, access: MethodAccess, request: Message) -> int:
        """How many numbers a trial is about, or those that *request* brings along are."""
        many = self._rules.many.get(access.method)
        if many is None:
            return self._tried_by(request)
        brought: Iterable[Message] = getattr(request, many)
        contents = (content for item in brought for content in item.ListFields())
        commands = (command for content in contents for command in messages_in(*content))
        return sum(map(self._tried_by, commands))

    def _tried_by(self, request: Message) -> int:
        name = self._rules.trials.get(request.DESCRIPTOR.full_name)
        if name is None or not getattr(request, "validate_only", False):
            return 0
        told = (content for content in request.ListFields() if content[0].name == name)
        return sum(len(value) if field.is_repeated else 1 for field, value in told)

    def _take(self, actor: Actor, name: str, rate: Rate) -> _Bucket:
        """The bucket of *actor*, one call taken."""
        bucket = self._filled(actor, name, rate)
        if bucket.left < 1:
            missing = (1 - bucket.left) / rate.per_second
            raise RateLimitedError(timedelta(seconds=round(missing, 3)))
        bucket.left -= 1
        return bucket

    def _filled(self, actor: Actor, name: str, rate: Rate) -> _Bucket:
        """The bucket of *actor*, as full as it is by now."""
        now = self._monotonic()
        bucket = self._buckets.setdefault((actor, name), _Bucket(rate.count, now))
        self._buckets.move_to_end((actor, name))
        while len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)
        bucket.left = min(rate.count, bucket.left + (now - bucket.at) * rate.per_second)
        bucket.at = now
        return bucket
