"""
The composition root: settings to a running service. The only place that knows everything.

    async with serving(settings) as running:        for everybody who may
    async with private(settings) as running:        for this process alone
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.addresses import told
from clientela.adapters.identifiers import Identifiers
from clientela.adapters.keeper import SqliteKeeper
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.restored import erase_again
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.key_set import KeySet
from clientela.adapters.tokens.own import OwnAuthenticator
from clientela.adapters.tokens.transport import TransportFiles
from clientela.adapters.tokens.web_token import Issuer, TokenAuthenticator
from clientela.adapters.vault import KeyVault
from clientela.domain.codec import Codec
from clientela.domain.errors import DomainError
from clientela.domain.event import ActorKind
from clientela.domain.ids import JournalId
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import Command, RuleSet
from clientela.domain.standard import standard_rulebook
from clientela.services.access import AccessTable
from clientela.services.all_services import services_of
from clientela.services.answers import OldAnswers
from clientela.services.audit import Audit
from clientela.services.background import stop
from clientela.services.cards import CARDS, TOTALS, owned_by
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.due_times import DueTimes
from clientela.services.entrance import Entrance
from clientela.services.follow_ups import FollowUps
from clientela.services.fresh_ids import new_id
from clientela.services.grants import StaffGrants
from clientela.services.operations import CLOCK
from clientela.services.principal import Authenticator
from clientela.services.rate_limits import RateLimits
from clientela.services.read_models import ReadModels
from clientela.services.records import Records
from clientela.services.registers import EMPLOYEE_REGISTER, UNIT_REGISTER
from clientela.services.scheduler import Scheduler
from clientela.services.server import Listener, Server, Service, service_names
from clientela.services.serving import SERVING
from clientela.services.store_errors import StoreUnsuitableError


RULE_SETS_GROUP = "clientela.rule_sets"
"""Entry points of installed packages that add a rule set."""

KEYRING = "keyring"
"""Note: fingerprint of the keyring whose keys seal the store."""

REAL = "real"
"""What the note `CLOCK` says of a store in real time."""

VIRTUAL_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the virtual clock of a new store stands."""

SECRET_BYTES = 32
"""Bytes of the secret of a private service."""

MODELS = (CARDS, TOTALS, SERVING, UNIT_REGISTER, EMPLOYEE_REGISTER)
"""Every read model."""

log = logging.getLogger("clientela")


class OtherKeysError(StoreUnsuitableError):
    """
    The key file is not the one this database is sealed with.

    Attributes:
        path: The key file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not the key file of this database: put the right one back")


class OtherClockError(StoreUnsuitableError):
    """
    A store that runs in real time was asked to run in virtual time.

    Attributes:
        path: The folder of the store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the store in {path} runs in real time: a virtual clock is for a new, empty one;"
            " name another folder, or leave the virtual clock out"
        )


@attrs.frozen(kw_only=True)
class Running:
    """
    A service that runs.

    Attributes:
        core: What its servicers work with.

        keeper: Its files.

        target: How it is reached, `host:port`.

        secret: What callers of a private service must know; empty for others.
    """

    core: Core
    keeper: SqliteKeeper
    target: str
    secret: str = attrs.field(default="", repr=False)


MakeAuthenticator = Callable[[Core, Sequence[Service]], Authenticator]
"""Makes what tells who calls the services."""


def installed_rulebook() -> Rulebook:
    """The standard rule sets and those of installed packages, by name."""
    found = sorted(entry_points(group=RULE_SETS_GROUP), key=lambda point: point.name)
    more: list[RuleSet] = [point.load() for point in found]
    return standard_rulebook(more)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Running]:
    """
    A service under *settings* for everybody who may call it, from here to the end of the block.

    Raises:
        StoreError: the database cannot be served; the message says what to do.

        KeyFileError, KeySetError, TransportFileError: likewise of another file.

        ServerError: the address cannot be served.
    """

    def authenticator(_core: Core, services: Sequence[Service]) -> Authenticator:
        return _authenticator(settings, services)

    async with _running(settings, authenticator) as running:
        is_encrypted = settings.tls_certificate is not None
        with told(settings.address_file, running.target, is_encrypted=is_encrypted):
            yield running


@asynccontextmanager
async def private(settings: Settings) -> AsyncGenerator[Running]:
    """
    A service over the same files for this process alone, from here to the end of the block.

    It listens on loopback, on a port of its own, and answers only calls that bear its secret.

    Raises:
        StoreError: the database cannot be served; the message says what to do.

        KeyFileError: the key file cannot be used; likewise.

        ServerError: there is no port.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)

    def authenticator(_core: Core, services: Sequence[Service]) -> Authenticator:
        return OwnAuthenticator(secret=secret, inner=_trusting(services))

    own = attrs.evolve(
        settings, host="127.0.0.1", port=0, tls_certificate=None, tls_key=None, tls_client_ca=None
    )
    async with _running(own, authenticator) as running:
        yield attrs.evolve(running, secret=secret)


@asynccontextmanager
async def _running(settings: Settings, authenticator: MakeAuthenticator) -> AsyncGenerator[Running]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    rulebook = installed_rulebook()
    store = await SqliteStore.open(settings.database, rulebook=rulebook.fingerprint)
    try:
        key_file = KeyFile(settings.key_file)
        vault = await _vault(store, key_file)
        core = _core(settings, rulebook, store, vault, await _clock(settings, store))
        await erase_again(core.path, store)
        keeper = SqliteKeeper(data_dir=settings.data_dir.resolve(), store=store, secrets=key_file)
        server = _server(settings, core, keeper, authenticator)
        [port] = await server.start()
        tasks = [asyncio.create_task(work) for work in _background(core)]
        try:
            yield Running(core=core, keeper=keeper, target=f"{settings.host}:{port}")
        finally:
            try:
                await stop(tasks)
            finally:
                await server.stop()
    finally:
        await store.close()


async def _vault(store: SqliteStore, key_file: KeyFile) -> KeyVault:
    """The vault of the store: a new key file for a new store, else the one it is sealed with."""
    noted = await store.note(KEYRING)
    if noted is None:
        key_file.create()
    vault = KeyVault(key_file)
    if noted is None:
        await store.fence_keys(vault.ring.current.id)
        await store.note(KEYRING, vault.ring.fingerprint)
    elif noted != vault.ring.fingerprint:
        raise OtherKeysError(key_file.path)
    return vault


async def _clock(settings: Settings, store: SqliteStore) -> SystemClock | VirtualClock:
    """The clock the store runs by; an empty store may be made virtual by the settings."""
    noted = await store.note(CLOCK)
    if noted is None:
        is_virtual = settings.virtual_clock and not await store.last_position()
        noted = VIRTUAL_BEGIN.isoformat() if is_virtual else REAL
        await store.note(CLOCK, noted)
    if noted == REAL and settings.virtual_clock:
        raise OtherClockError(settings.data_dir)
    return SystemClock() if noted == REAL else VirtualClock(datetime.fromisoformat(noted))


def _core(
    settings: Settings,
    rulebook: Rulebook,
    store: SqliteStore,
    vault: KeyVault,
    clock: SystemClock | VirtualClock,
) -> Core:
    forms = Identifiers(settings.region)
    codec = Codec(rulebook.event_classes)
    records = Records(rulebook, codec, store)
    path = CommandPath(records, store, sessions=vault, forms=forms, clock=clock, new_id=new_id)
    reads = ReadModels(MODELS, store, SqliteReads(store), codec, sessions=vault, forms=forms)
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


def _server(
    settings: Settings, core: Core, keeper: SqliteKeeper, authenticator: MakeAuthenticator
) -> Server:
    services = services_of(core, keeper, MODELS)
    directory = JournalDirectory(core.path.records, core.reads)
    entrance = Entrance(
        authenticator=authenticator(core, services),
        staff=StaffGrants(directory, core.clock),
        directory=directory,
        rates=RateLimits(),
        audit=Audit(core.store, core.clock),
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
        services,
        entrance,
        core.store,
        listeners=(Listener(f"{settings.host}:{settings.port}", credentials),),
        has_reflection=settings.reflection or settings.mode is Mode.DEVELOPMENT,
    )


def _authenticator(settings: Settings, services: Sequence[Service]) -> Authenticator:
    if settings.mode is Mode.DEVELOPMENT:
        return _trusting(services)
    assert settings.jwks_file is not None
    issuer = Issuer(
        name=settings.issuer,
        audience=settings.audience,
        keys=KeySet(settings.jwks_file),
        kinds=frozenset(ActorKind) - {ActorKind.SYSTEM},
    )
    # Tokens expire in real time, whatever time it is in the store.
    return TokenAuthenticator((issuer,), SystemClock())


def _trusting(services: Sequence[Service]) -> DevelopmentAuthenticator:
    return DevelopmentAuthenticator(AccessTable.of_services(service_names(services)).permissions)


def _background(core: Core) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside calls; virtual time moves only when it is told to."""
    yield core.follow_ups.run()
    yield core.due_times.run()
    yield OldAnswers(core.store, core.clock).run()
    if isinstance(core.clock, SystemClock):
        yield core.scheduler.run()


def _report_journal(journal_id: JournalId, error: Exception) -> None:
    # By type: the text of an error may hold what somebody typed.
    log.error("time cannot be elapsed in a %s: %s", journal_id.kind.value, type(error).__name__)


def _report_command(command: Command, error: DomainError) -> None:
    log.warning("%s was refused: %s", type(command).__name__, error.reason)
