"""
Settings: what an operator may set.

Secrets are never settings; settings name the files that hold them.
"""

from __future__ import annotations

import enum

from pathlib import Path

import attrs

from clientela.adapters.logs import Form, Volume
from clientela.adapters.roles import ROLES, Role


PREFIX = "CLIENTELA_"
"""What the name of a setting begins with in the environment."""

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
