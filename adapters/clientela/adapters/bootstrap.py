"""
The composition root: settings to a running service. The only place that knows everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.identifiers import Identifiers
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.memory_reads import MemoryReads
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.key_set import KeySet
from clientela.adapters.tokens.transport import TransportFiles
from clientela.adapters.tokens.web_token import Issuer, TokenAuthenticator
from clientela.adapters.vault import KeyVault
from clientela.domain.codec import Codec
from clientela.domain.errors import DomainError, InvalidValueError
from clientela.domain.event import ActorKind
from clientela.domain.ids import JournalId
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import Command, RuleSet
from clientela.domain.standard import standard_rulebook
from clientela.services.access import AccessTable
from clientela.services.all_services import services_of
from clientela.services.audit import Audit
from clientela.services.cards import CARDS, TOTALS, owned_by
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.entrance import Entrance
from clientela.services.follow_ups import FollowUps
from clientela.services.fresh_ids import new_id
from clientela.services.grants import StaffGrants
from clientela.services.operations import CLOCK
from clientela.services.ports import JournalStore
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


MODELS = (CARDS, TOTALS, SERVING, UNIT_REGISTER, EMPLOYEE_REGISTER)
"""Every read model."""


@attrs.frozen(kw_only=True)
class SqliteKeeper:
    """
    Keeps the files of a store in a folder.

    Attributes:
        data_dir: The folder.

        store: The store.

        secrets: The key file.
    """

    data_dir: Path
    store: SqliteStore
    secrets: KeyFile

    async def rotate_keys(self, now: datetime) -> int:
        """Replace the key-encryption key; how many keys of persons were wrapped anew."""
        rotation = await rotate(self.secrets, self.store, now)
        return rotation.rewrapped

    async def back_up(self, path: Path) -> None:
        """
        Copy the store to a new file.

        Raises:
            InvalidValueError: the path is not absolute, or there is something already.
        """
        if not path.is_absolute() or path.exists():
            raise InvalidValueError("path", "an absolute path at which there is nothing yet")
        await self.store.backup(path)

    async def faults(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file."""
        return await self.store.faults()


@attrs.frozen(kw_only=True)
class Running:
    """
    A service that runs.

    Attributes:
        core: What its servicers work with.

        keeper: Its files.

        server: What listens.

        address: How it is reached, `host:port`.
    """

    core: Core
    keeper: SqliteKeeper
    server: Server
    address: str


def installed_rulebook() -> Rulebook:
    """The standard rule sets and those of installed packages, by name."""
    found = sorted(entry_points(group=RULE_SETS_GROUP), key=lambda point: point.name)
    more: list[RuleSet] = [point.load() for point in found]
    return standard_rulebook(more)


@asynccontextmanager
async def running(settings: Settings, *, may_migrate: bool = False) -> AsyncIterator[Running]:
    """
    A service under *settings*, from here to the end of the block.

    Args:
        settings: How.

        may_migrate: Whether an older database is brought to this release.

    Raises:
        StoreError: the database cannot be served; the message says what to do.

        KeyFileError: the key file cannot be used; likewise.

        ServerError: the address cannot be served.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    rulebook = installed_rulebook()
    store = await SqliteStore.open(
        settings.database, rulebook=rulebook.fingerprint, may_migrate=may_migrate
    )
    try:
        secrets = KeyFile(settings.key_file)
        vault = await _vault(store, secrets)
        core = _core(settings, rulebook, store, vault, await _clock(settings, store))
        keeper = SqliteKeeper(data_dir=settings.data_dir, store=store, secrets=secrets)
        server = _server(settings, core, keeper)
        [port] = await server.start()
        tasks = [asyncio.create_task(work) for work in _background(core)]
        address = f"{settings.host}:{port}"
        try:
            with _told(settings.address_file, address):
                yield Running(core=core, keeper=keeper, server=server, address=address)
        finally:
            await _cancel(tasks)
            await server.stop()
    finally:
        await store.close()


async def _vault(store: JournalStore, secrets: KeyFile) -> KeyVault:
    """The vault of the store: a new key file for a new store, else the one it is sealed with."""
    noted = await store.note(KEYRING)
    if noted is None:
        secrets.create()
    vault = KeyVault(secrets)
    if noted is None:
        await store.fence_keys(vault.ring.current.id)
        await store.note(KEYRING, vault.ring.fingerprint)
    elif noted != vault.ring.fingerprint:
        raise OtherKeysError(secrets.path)
    return vault


async def _clock(settings: Settings, store: JournalStore) -> SystemClock | VirtualClock:
    """The clock the store runs by; an empty store may be made virtual by the settings."""
    noted = await store.note(CLOCK)
    if noted is None:
        is_virtual = settings.virtual_clock and not await store.last_position()
        noted = VIRTUAL_BEGIN.isoformat() if is_virtual else REAL
        await store.note(CLOCK, noted)
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
    reads = ReadModels(MODELS, store, MemoryReads(), codec, sessions=vault, forms=forms)
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
        follow_ups=FollowUps(path, store, lambda owner: owned_by(reads, owner), _report_command),
    )


def _server(settings: Settings, core: Core, keeper: SqliteKeeper) -> Server:
    services = services_of(core, keeper, MODELS)
    directory = JournalDirectory(core.path.records, core.reads)
    entrance = Entrance(
        authenticator=_authenticator(settings, core, services),
        staff=StaffGrants(directory, core.clock),
        directory=directory,
        rates=RateLimits(),
        audit=Audit(core.store, core.clock),
        clock=core.clock,
        new_id=core.new_id,
    )
    credentials = None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        files = TransportFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        credentials = files.credentials()
    return Server(
        services,
        entrance,
        core.store,
        listeners=(Listener(f"{settings.host}:{settings.port}", credentials),),
        has_reflection=settings.reflection or settings.mode is Mode.DEVELOPMENT,
    )


def _authenticator(settings: Settings, core: Core, services: Sequence[Service]) -> Authenticator:
    if settings.mode is Mode.DEVELOPMENT:
        table = AccessTable.of_services(service_names(services))
        return DevelopmentAuthenticator(table.permissions)
    assert settings.jwks_file is not None
    issuer = Issuer(
        name=settings.issuer,
        audience=settings.audience,
        keys=KeySet(settings.jwks_file),
        kinds=frozenset(ActorKind) - {ActorKind.SYSTEM},
    )
    return TokenAuthenticator((issuer,), core.clock)


def _background(core: Core) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside calls; virtual time moves only when it is told to."""
    yield core.follow_ups.run()
    if isinstance(core.clock, SystemClock):
        yield core.scheduler.run()


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.contextmanager
def _told(path: Path, address: str) -> Iterator[None]:
    """While the block runs, say beside the database how the service is reached."""
    path.write_text(json.dumps({"address": address, "pid": os.getpid()}), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _report_journal(journal_id: JournalId, error: Exception) -> None:
    log.error("time could not be elapsed", extra={"kind": journal_id.kind.value}, exc_info=error)


def _report_command(command: Command, error: DomainError) -> None:
    log.warning("%s was refused: %s", type(command).__name__, error.reason)
