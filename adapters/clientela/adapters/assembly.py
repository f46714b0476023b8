"""
The parts of a service put together over an open store.
"""

from __future__ import annotations

import logging
import shutil

from collections.abc import Coroutine, Iterator
from importlib.metadata import entry_points
from typing import Any

from clientela.adapters.believing import authenticator_of
from clientela.adapters.holder import new_holder
from clientela.adapters.identifiers import Identifiers
from clientela.adapters.messages_in import MessagesIn
from clientela.adapters.roles import Role
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.stores import Keeper, Store, reads_of
from clientela.adapters.telemetry.started import Telemetry
from clientela.adapters.tokens.transport import TransportFiles
from clientela.adapters.vault import KeyVault
from clientela.domain.codec import Codec
from clientela.domain.errors import DomainError
from clientela.domain.ids import JournalId
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import Command, RuleSet
from clientela.domain.standard import standard_rulebook
from clientela.services.all_services import services_of
from clientela.services.answers import OldAnswers
from clientela.services.append_watch import AppendWatch
from clientela.services.audit import Audit
from clientela.services.backlogs import Backlogs
from clientela.services.bus_watch import BusWatch
from clientela.services.cards import CARDS, TOTALS, owned_by
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.due_times import DueTimes
from clientela.services.duty import Duty, Work
from clientela.services.entrance import Entrance
from clientela.services.follow_ups import FollowUps
from clientela.services.fresh_ids import new_id
from clientela.services.grants import StaffGrants
from clientela.services.health import Health
from clientela.services.leases import Leases
from clientela.services.observer import Observer
from clientela.services.rate_limits import RateLimits
from clientela.services.read_models import ReadModels
from clientela.services.records import Records
from clientela.services.registers import EMPLOYEE_REGISTER, UNIT_REGISTER
from clientela.services.scheduler import Scheduler
from clientela.services.server import Listener, Oversight, Server
from clientela.services.serving import SERVING


RULE_SETS_GROUP = "clientela.rule_sets"
"""Entry points of installed packages that add a rule set."""

MODELS = (CARDS, TOTALS, SERVING, UNIT_REGISTER, EMPLOYEE_REGISTER)
"""Every read model."""

KEEPING = "scheduler"
"""Name of the lease of the process that lets time pass and follows up."""

ROOM_BYTES_MIN = 16 * 1024 * 1024
"""Free bytes on the disk of the store below which nothing is written any more."""

SILENCE = Telemetry()
"""Nobody is told."""

log = logging.getLogger("clientela")


def installed_rulebook() -> Rulebook:
    """The standard rule sets and those of installed packages, by name."""
    found = sorted(entry_points(group=RULE_SETS_GROUP), key=lambda point: point.name)
    more: list[RuleSet] = [point.load() for point in found]
    return standard_rulebook(more)


def core_of(
    settings: Settings,
    rulebook: Rulebook,
    store: Store,
    vault: KeyVault,
    clock: SystemClock | VirtualClock,
) -> Core:
    """What servicers work with."""
    forms = Identifiers(settings.region)
    codec = Codec(rulebook.event_classes)
    records = Records(rulebook, codec, store)
    if not isinstance(store, SqliteStore):
        store.connections.tell_keys = records.cache.key_watch.seen
    path = CommandPath(records, store, sessions=vault, forms=forms, clock=clock, new_id=new_id)
    reads = ReadModels(MODELS, store, reads_of(store), codec, sessions=vault, forms=forms)
    return Core(
        path=path,
        reads=reads,
        store=store,
        sessions=vault,
        ids=vault,
        forms=forms,
        clock=clock,
        new_id=new_id,
        scheduler=Scheduler(path, store, clock, _report_journal),
        due_times=DueTimes(path, store, _report_journal),
        follow_ups=FollowUps(path, store, lambda owner: owned_by(reads, owner), _report_command),
    )


def server_of(
    settings: Settings,
    core: Core,
    keeper: Keeper,
    messages: MessagesIn,
    secret: str = "",
    told: Telemetry = SILENCE,
) -> Server:
    """
    What listens.

    Args:
        settings: Where, and whom it believes.

        core: What servicers work with.

        keeper: The files.

        messages: Those that came in over the bus.

        secret: What callers of a private service must know; empty for a public one.

        told: Who is told how it goes.

    Raises:
        KeySetError, CallersError, TransportFileError: a file must not be used.

        ServerError: it must not listen there.
    """
    audit = Audit(core.store, core.clock)
    services = services_of(core, keeper, MODELS, messages.replays, audit)
    directory = JournalDirectory(core.path.records, core.reads)
    entrance = Entrance(
        authenticator=authenticator_of(settings, services, secret),
        staff=StaffGrants(directory, core.clock),
        directory=directory,
        rates=RateLimits(),
        audit=audit,
        clock=core.clock,
        new_id=core.new_id,
    )
    credentials = None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        credentials = TransportFiles(
            certificate=settings.tls_certificate,
            key=settings.tls_key,
            client_authority=settings.tls_client_ca,
        ).credentials()
    return Server(
        services if Role.SERVICE in settings.roles else (),
        entrance,
        core.store,
        listeners=(Listener(f"{settings.host}:{settings.port}", credentials),),
        has_reflection=settings.reflection or settings.mode is Mode.DEVELOPMENT,
        oversight=_oversight(settings, core, told),
    )


def background_of(
    core: Core, told: Telemetry = SILENCE, health: Health | None = None
) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside calls in every process."""
    if core.events_out is not None and health is not None:
        core.events_out.relay.metrics = told.metrics
        yield BusWatch(core.events_out.relay, health).run()
    if told.metrics is not SILENCE.metrics:
        yield _backlogs(core, told).run()


def keeping_of(core: Core, leases: Leases) -> Duty:
    """What one process of the company does at a time, whoever else serves."""
    answers = OldAnswers(core.store, core.clock)
    works: list[Work] = [core.follow_ups.run, core.due_times.run, answers.run]
    if isinstance(core.clock, SystemClock):
        # Virtual time moves only when it is told to.
        works.append(core.scheduler.run)
    return Duty(leases, KEEPING, new_holder(), works)


def _oversight(settings: Settings, core: Core, told: Telemetry) -> Oversight:
    if told is not SILENCE:
        core.path.watched_by(AppendWatch(metrics=told.metrics, traces=told.traces))
    observer = Observer(metrics=told.metrics, traces=told.traces, hashes=core.sessions.blind)
    port = settings.health_port
    return Oversight(
        observer=observer,
        metrics=told.metrics,
        has_room=lambda: shutil.disk_usage(settings.data_dir).free >= ROOM_BYTES_MIN,
        health_address=None if port is None else f"127.0.0.1:{port}",
        roles=settings.roles,
    )


def _backlogs(core: Core, told: Telemetry) -> Backlogs:
    return Backlogs(
        core.store,
        core.clock,
        scheduler=core.scheduler,
        follow_ups=core.follow_ups,
        records=core.path.records,
        leaving=None if core.events_out is None else core.events_out.relay,
        metrics=told.metrics,
    )


def _report_journal(journal_id: JournalId, error: Exception) -> None:
    # By type: the text of an error may hold what somebody typed.
    log.error("time cannot be elapsed in a %s: %s", journal_id.kind.value, type(error).__name__)


def _report_command(command: Command, error: DomainError) -> None:
    log.warning("%s was refused: %s", type(command).__name__, error.reason)
