"""
How messages come into this process: the consumer of the bus, the inbox, and what is parked there.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from clientela.adapters.holder import new_holder
from clientela.adapters.roles import Role
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.stores import Store, duties_of, parked_of
from clientela.services.core import Core
from clientela.services.duty import Duty
from clientela.services.inbox import Inbox
from clientela.services.metrics import NO_METRICS, Metrics
from clientela.services.passage import own_principal
from clientela.services.principal import Authenticator, Principal
from clientela.services.replays import Replays


if TYPE_CHECKING:
    from clientela.adapters.consumers.consumer import Consumer


MENDING = "mending"
"""Name of the lease of the process that carries out parked messages when their cause is gone."""


@attrs.frozen(kw_only=True)
class MessagesIn:
    """
    The inbox of a service, whether or not messages come in.

    Attributes:
        replays: Carries out parked messages; has the inbox.

        own: On whose behalf messages without credentials are carried out.

        store: Where they go.
    """

    replays: Replays
    own: Principal
    store: Store

    @classmethod
    def of(cls, settings: Settings, core: Core, store: Store) -> MessagesIn:
        """The inbox over *store*."""
        is_trial = settings.mode is Mode.DEVELOPMENT
        own = own_principal(settings.inbound_actor, tells_history=is_trial)
        inbox = Inbox(core, parked_of(store))
        return cls(replays=Replays(inbox, own), own=own, store=store)

    def background(
        self, settings: Settings, authenticator: Authenticator, metrics: Metrics = NO_METRICS
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """
        What goes on beside calls.

        Args:
            settings: Which bus, if any.

            authenticator: Tells whose credentials a message bears.

            metrics: Keeps figures.
        """
        if Role.INBOUND not in settings.roles:
            return
        works = (self.replays.run, self.replays.run_sweep)
        yield Duty(duties_of(self.store), MENDING, new_holder(), works).run()
        if settings.takes_messages:
            yield self._consumer(settings, authenticator, metrics).run()

    def _consumer(
        self, settings: Settings, authenticator: Authenticator, metrics: Metrics
    ) -> Consumer:
        # Without a bus the service runs without what the extra `nats` brings.
        from clientela.adapters.consumers.consumer import Consumer  # noqa: PLC0415
        from clientela.adapters.consumers.sender import Sender  # noqa: PLC0415
        from clientela.adapters.events_out import broker_of  # noqa: PLC0415

        consumer = Consumer(
            broker_of(settings),
            self.replays.inbox,
            Sender(authenticator=authenticator, own=self.own),
            leases=duties_of(self.store),
            store=self.store,
            holder=new_holder(),
            may_create=settings.bus_create,
            replicas=settings.bus_replicas,
        )
        consumer.metrics = metrics
        return consumer
