"""
The composition root: settings to a running service. The only place that knows everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path

import attrs

from clientela.adapters.identifiers import Identifiers
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.either import EitherAuthenticator
from clientela.adapters.tokens.key_set import KeySet
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
from clientela.services.audit import Audit
from clientela.services.cards import CARDS, TOTALS, owned_by
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.directory import JournalDirectory
from clientela.services.entrance import Entrance
from clientela.services.follow_ups import FollowUps
from clientela.services.fresh_ids import new_id
from clientela.services.grants import StaffGrants
from clientela.services.ports import JournalStore, StoreUnsuitableError
from clientela.services.principal import Authenticator
from clientela.services.rate_limits import RateLimits
from clientela.services.read_models import ReadModels
from clientela.services.records import Records
from clientela.services.scheduler import Scheduler
from clientela.services.server import Listener, Server
from clientela.services.service import Clientela, services_of
from clientela.services.serving import SERVING


RULE_SETS_GROUP = "clientela.rule_sets"
"""Entry points of installed packages that add a rule set."""

KEYRING = "keyring"
"""Note: fingerprint of the keyring whose keys seal the store."""

CLOCK = "clock"
"""Note: `system`, or the moment at which virtual time stands."""

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


@attrs.frozen(kw_only=True)
class Running:
    """
    A service that runs.

    Attributes:
        clientela: Its parts, for verbs that look inside.

        store: Its store.

        secrets: Its key file.

        address: How it is reached, `host:port`.

        server: What listens.
    """

    clientela: Clientela
    store: SqliteStore
    secrets: KeyFile
    address: str
    server: Server


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
        clientela = await _clientela(settings, rulebook, store, vault)
        server = _server(settings, clientela)
        [port] = await server.start()
        address = f"{settings.host}:{port}"
        tasks = _background(clientela)
        try:
            with _told(settings, address):
                yield Running(
                    clientela=clientela,
                    store=store,
                    secrets=secrets,
                    address=address,
                    server=server,
                )
        finally:
            await _cancelled(tasks)
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


async def _clientela(
    settings: Settings, rulebook: Rulebook, store: SqliteStore, vault: KeyVault
) -> Clientela:
    clock = await _clock(store)
    forms = Identifiers(settings.region)
    codec = Codec(rulebook.event_classes)
    records = Records(rulebook, codec, store)
    path = CommandPath(
        records, store, sessions=vault, forms=forms, clock=clock, new_id=new_id
    )
    reads = ReadModels(
        (CARDS, TOTALS, SERVING),
        store,
        SqliteReads(store),
        codec,
        sessions=vault,
        forms=forms,
    )
    return Clientela(
        path=path,
        reads=reads,
        store=store,
        sessions=vault,
        ids=vault,
        forms=forms,
        clock=clock,
        new_id=new_id,
        scheduler=Scheduler(path, store, clock, _report_journal),
        follow_ups=FollowUps(
            path, store, lambda owner: owned_by(reads, owner), _report_command
        ),
    )


async def _clock(store: JournalStore) -> SystemClock | VirtualClock:
    noted = await store.note(CLOCK)
    if noted in {None, "system"}:
        return SystemClock()
    assert noted is not None
    return VirtualClock(datetime.fromisoformat(noted))


def _server(settings: Settings, clientela: Clientela) -> Server:
    services = services_of(clientela)
    directory = JournalDirectory(clientela.path.records, clientela.reads)
    entrance = Entrance(
        authenticator=_authenticator(settings, clientela, services),
        staff=StaffGrants(directory, clientela.clock),
        directory=directory,
        rates=RateLimits(),
        audit=Audit(clientela.store, clientela.clock),
        clock=clientela.clock,
        new_id=clientela.new_id,
    )
    credentials = None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        files = TransportFiles(
            settings.tls_certificate, settings.tls_key, settings.tls_client_ca
        )
        credentials = files.credentials()
    return Server(
        services,
        entrance,
        clientela.store,
        listeners=(Listener(f"{settings.host}:{settings.port}", credentials),),
        has_reflection=settings.reflection or settings.mode is Mode.DEVELOPMENT,
    )
