"""
Settings: what an operator may set, from flags over the environment to the defaults.

Every setting has one name: `--data-dir` on the command line is CLIENTELA_DATA_DIR in the
environment. Secrets are never settings; settings name the files that hold them.
"""

from __future__ import annotations

import enum

from collections.abc import Mapping
from pathlib import Path

import attrs


PREFIX = "CLIENTELA_"

DATA_DIR = Path("clientela-data")
"""Where the data is if no place is named."""

PORT = 7443
"""The port served if none is named."""

PORT_MAX = 65_535


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
        case "port":
            if not text.isdecimal() or int(text) > PORT_MAX:
                raise SettingError(name, f"a number from 0 to {PORT_MAX}")
            return int(text)
        case "mode":
            if text not in {mode.value for mode in Mode}:
                raise SettingError(name, "development or production")
            return Mode(text)
        case "reflection" | "virtual_clock":
            if text not in {"0", "1"}:
                raise SettingError(name, "0 or 1")
            return text == "1"
        case "host" | "region" | "issuer" | "audience":
            return text
        case _:
            return Path(text)


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
    return settings
