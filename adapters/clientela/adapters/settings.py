"""
Settings: what an operator may set, from flags over the environment to the defaults.

Every setting has one name: `--data-dir` on the command line is CLIENTELA_DATA_DIR in the
environment. Secrets are never settings; settings name the files that hold them.
"""

from __future__ import annotations

import enum
import re

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import attrs

from clientela.adapters.logs import Form, Volume
from clientela.adapters.roles import ON_THE_BUS, ROLES, Role, roles_in
from clientela.domain.ids import is_id


PREFIX = "CLIENTELA_"

DATA_DIR = Path("clientela-data")
"""Where the data is if no place is named."""

PORT = 7443
"""The port served if none is named."""

PORT_MAX = 65_535

NO_BUS = "none"
"""The bus of a service whose events stay where they are."""

EMBEDDED_BUS = "embedded"
"""The bus that a service starts for itself."""

REPLICAS_MAX = 5
"""Copies of a stream at most."""

_BROKER = re.compile(r"(nats|tls)://[^/\s@,]+")

SHARE = re.compile(r"0(\.\d{1,6})?|1(\.0{1,6})?")
"""How a share is written."""

COLLECTOR = re.compile(r"https?://[^/\s]+:\d{1,5}/?")
"""How a collector of spans is named."""


class SettingError(Exception):
    """
    A setting is malformed or does not go with another one.

    Attributes:
        name: Which, as an environment variable.
    """

    def __init__(self, name: str, expected: str) -> None:
        self.name = name
        super().__init__(f"{PREFIX}{name.upper()}: expected {expected}")


class Mode(enum.Enum):
    """Who is believed."""

    DEVELOPMENT = "development"
    """Callers are who they say they are; loopback only."""

    PRODUCTION = "production"
    """Callers prove who they are by a token or a certificate."""


@attrs.frozen(kw_only=True)
class Settings:
    """
    How a service is run.

    Attributes:
        data_dir: Folder of database and key file; made on first start.

        host: Address to listen on.

        port: Port to listen on, 0 to `PORT_MAX`; 0 lets the system choose.

        mode: Who is believed.

        region: Region that phone numbers without a country code belong to (ISO 3166).

        jwks_file: Public keys of the token issuer, production only.

        callers_file: Who is behind which client certificate, production only.

        issuer: Who issues tokens.

        audience: For whom tokens must be issued.

        tls_certificate: Certificate chain of the server (PEM).

        tls_key: Its private key (PEM), readable by the owner only.

        tls_client_ca: Who signs client certificates (PEM); clients without one are then refused.

        virtual_clock: Whether a new store runs in virtual time, which only `advance` moves.

        reflection: Whether tools may ask what is served; always so in development.

        log_format: How lines of the log look; None for JSON in production and text otherwise.

        log_level: From where on they are written; None for info in production, else warning.

        health_port: Port on loopback where health alone is told, unencrypted; None for none.

        metrics_port: Port where figures are handed out to Prometheus; None for none.

        metrics_host: Address of that port; one that others reach takes the certificate.

        trace_endpoint: Collector that spans are sent to, `http://host:port`; empty for none.

        trace_share: Of calls whose caller traces nothing, how many are traced: 0 to 1.

        bus: Where events leave: `none`, `embedded` for a broker of our own, or `nats://host:port`
            of a JetStream broker, several of a cluster separated by commas.

        bus_credentials: File with the token that it lets us in by, or a `.creds` file of it.

        bus_ca: Who signed the certificates of its servers (PEM), None for those the system knows.

        bus_create: Whether its stream is made if there is none.

        bus_replicas: Copies of a stream that is made here, 1 to `REPLICAS_MAX`.

        inbound: Whether messages of other systems are taken from the bus; None for: if there is
            one.

        inbound_actor: Id of the service on whose behalf messages without credentials speak.

        database_url: PostgreSQL database of the store, `postgresql://user@host/name`; empty for a
            file in the data folder. Several processes may run over one. A password stands in the
            file that PGPASSFILE or `?passfile=` names, never here.

        only: What this process does of all that a company needs; empty for all of it. Other than
            that it needs a database that several processes run over.
    """

    data_dir: Path = DATA_DIR
    host: str = "127.0.0.1"
    port: int = PORT
    mode: Mode = Mode.DEVELOPMENT
    region: str = "US"
    jwks_file: Path | None = None
    callers_file: Path | None = None
    issuer: str = ""
    audience: str = "clientela"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    virtual_clock: bool = False
    reflection: bool = False
    log_format: Form | None = None
    log_level: Volume | None = None
    health_port: int | None = None
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    trace_endpoint: str = ""
    trace_share: float = 1.0
    bus: str = NO_BUS
    bus_credentials: Path | None = None
    bus_ca: Path | None = None
    bus_create: bool = True
    bus_replicas: int = 1
    inbound: bool | None = None
    inbound_actor: str = "inbox"
    database_url: str = ""
    only: tuple[Role, ...] = ()

    @property
    def log(self) -> tuple[Form, Volume]:
        """How lines of the log look, and from where on they are written."""
        is_production = self.mode is Mode.PRODUCTION
        form = self.log_format or (Form.JSON if is_production else Form.TEXT)
        return form, self.log_level or (Volume.INFO if is_production else Volume.WARNING)

    @property
    def brokers(self) -> tuple[str, ...]:
        """The servers of the bus that is named."""
        return tuple(self.bus.split(","))

    @property
    def takes_messages(self) -> bool:
        """Whether messages of other systems are taken from the bus."""
        has_bus = self.bus != NO_BUS
        return has_bus if self.inbound is None else self.inbound and has_bus

    @property
    def roles(self) -> tuple[Role, ...]:
        """What this process does."""
        return self.only or ROLES

    @property
    def bus_folder(self) -> Path:
        """The files of a broker of our own."""
        return self.data_dir / "nats"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data_dir / "clientela.db"

    @property
    def key_file(self) -> Path:
        """The file of keys."""
        return self.data_dir / "keys.json"

    @property
    def address_file(self) -> Path:
        """Where a running service says how it is reached."""
        return self.data_dir / "service.json"


def settings_from(environment: Mapping[str, str], **flags: object) -> Settings:
    """
    Settings of a process.

    Args:
        environment: Environment variables; others than settings do not matter.

        flags: What was said on the command line; None means it was not.

    Raises:
        SettingError: one is malformed, or does not go with another.
    """
    fields = {field.name: field for field in attrs.fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environment.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name in fields:
            values[name] = _parsed(name, text)
    for name, value in flags.items():
        if value is not None:
            values[name] = _parsed(name, value) if isinstance(value, str) else value
    return _checked(Settings(**values))  # type: ignore[arg-type]  # parsed by name


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like settings and are none."""
    known = {f"{PREFIX}{field.name.upper()}" for field in attrs.fields(Settings)}
    return tuple(
        sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    )


def _parsed(name: str, text: str) -> object:
    match name:
        case "port" | "health_port" | "metrics_port":
            if not text.isdecimal() or int(text) > PORT_MAX:
                raise SettingError(name, f"a number from 0 to {PORT_MAX}")
            return int(text)
        case "mode":
            if text not in {mode.value for mode in Mode}:
                raise SettingError(name, "development or production")
            return Mode(text)
        case "log_format":
            if text not in set(Form):
                raise SettingError(name, "json or text")
            return Form(text)
        case "log_level":
            if text not in set(Volume):
                raise SettingError(name, "debug, info, warning or error")
            return Volume(text)
        case "trace_share":
            if not SHARE.fullmatch(text):
                raise SettingError(name, "a number from 0 to 1")
            return float(text)
        case "bus_replicas":
            if not text.isdecimal() or not 1 <= int(text) <= REPLICAS_MAX:
                raise SettingError(name, f"a number from 1 to {REPLICAS_MAX}")
            return int(text)
        case "reflection" | "virtual_clock" | "bus_create" | "inbound":
            if text not in {"0", "1"}:
                raise SettingError(name, "0 or 1")
            return text == "1"
        case "only":
            if (roles := roles_in(text)) is None:
                raise SettingError(name, f"some of {', '.join(ROLES)}, separated by commas")
            return roles
        case "database_url":
            return _checked_url(text)
        case "inbound_actor":
            if not is_id(text):
                raise SettingError(name, "an id: 1 to 64 of A-Z, a-z, 0-9, - and _")
            return text
        case "host" | "region" | "issuer" | "audience" | "bus" | "metrics_host" | "trace_endpoint":
            return text
        case _:
            return Path(text)


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    if text and parts.scheme not in {"postgresql", "postgres"}:
        raise SettingError("database_url", "postgresql://user@host/name")
    if parts.password or "password" in parse_qs(parts.query):
        raise SettingError(
            "database_url", "no password in it, but in the file that PGPASSFILE or ?passfile= names"
        )
    return text


def _checked(settings: Settings) -> Settings:
    if settings.mode is Mode.PRODUCTION and not (settings.jwks_file or settings.callers_file):
        raise SettingError("jwks_file", "public keys of tokens, or a callers_file of certificates")
    if settings.callers_file is not None and settings.tls_client_ca is None:
        raise SettingError("tls_client_ca", "who signs the certificates of callers_file")
    if settings.jwks_file is not None and not settings.issuer:
        raise SettingError("issuer", "who issues the tokens, beside jwks_file")
    if (settings.tls_certificate is None) is not (settings.tls_key is None):
        raise SettingError("tls_key", "tls_certificate and tls_key, both or neither")
    if settings.tls_client_ca is not None and settings.tls_certificate is None:
        raise SettingError("tls_client_ca", "tls_certificate and tls_key beside it")
    if settings.trace_endpoint and not COLLECTOR.fullmatch(settings.trace_endpoint):
        raise SettingError("trace_endpoint", "http://host:port or https://host:port")
    _check_roles(settings)
    if settings.inbound and settings.bus == NO_BUS:
        raise SettingError("inbound", "a bus beside it, which messages come from")
    is_broker = all(_BROKER.fullmatch(url) for url in settings.brokers)
    if settings.bus not in {NO_BUS, EMBEDDED_BUS} and not is_broker:
        raise SettingError(
            "bus", "none, embedded, or nats://host:port; what lets us in is for bus_credentials"
        )
    return settings


def _check_roles(settings: Settings) -> None:
    if not settings.only:
        return
    if not settings.database_url:
        raise SettingError("only", "a database_url beside it: a file belongs to one process")
    if settings.bus == EMBEDDED_BUS:
        raise SettingError("bus", "none or nats://host:port beside only, since others share it")
    if settings.bus == NO_BUS and not ON_THE_BUS.isdisjoint(settings.only):
        raise SettingError("bus", "nats://host:port beside only relay or inbound")
