"""
The environment: settings of a process, from flags over its variables to the defaults.

Every setting has one name: `--data-dir` on the command line is CLIENTELA_DATA_DIR in the
environment.
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
from clientela.adapters.settings import (
    EMBEDDED_BUS,
    NO_BUS,
    PORT_MAX,
    PREFIX,
    REPLICAS_MAX,
    Mode,
    SettingError,
    Settings,
)
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import is_id


_BROKER = re.compile(r"(nats|tls)://[^/\s@,]+")
_SHARE = re.compile(r"0(\.\d{1,6})?|1(\.0{1,6})?")
_COLLECTOR = re.compile(r"https?://[^/\s]+:\d{1,5}/?")

_DATABASE = "postgresql://user@host/name"

_WORDS: Mapping[str, type[enum.Enum]] = {"mode": Mode, "log_format": Form, "log_level": Volume}
"""Settings that are one of some words."""


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
        case "mode" | "log_format" | "log_level":
            return _word(name, text)
        case "port" | "health_port" | "metrics_port":
            return _number(name, text, 0, PORT_MAX)
        case "bus_replicas":
            return _number(name, text, 1, REPLICAS_MAX)
        case "reflection" | "virtual_clock" | "bus_create" | "inbound":
            if text not in {"0", "1"}:
                raise SettingError(name, "0 or 1")
            return text == "1"
        case "trace_share":
            if not _SHARE.fullmatch(text):
                raise SettingError(name, "a number from 0 to 1")
            return float(text)
        case "only":
            return _roles(text)
        case "database_url":
            return _url(text)
        case "inbound_actor":
            if not is_id(text):
                raise SettingError(name, "an id: 1 to 64 of A-Z, a-z, 0-9, - and _")
            return text
        case "host":
            # An address of IPv6 stands in brackets before its port.
            return f"[{text}]" if ":" in text and not text.startswith("[") else text
        case "region":
            return _region(text)
        case "issuer" | "audience" | "bus" | "metrics_host" | "trace_endpoint":
            return text
        case _:
            if not text:
                # The path of nothing would be the folder that the process stands in.
                raise SettingError(name, "a path; leave it out for none")
            return Path(text)


def _word(name: str, text: str) -> enum.Enum:
    words = {str(word.value): word for word in _WORDS[name]}
    if text not in words:
        *others, last = words
        raise SettingError(name, f"{', '.join(others)} or {last}")
    return words[text]


def _number(name: str, text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise SettingError(name, f"a number from {least} to {most}")
    return int(text)


def _roles(text: str) -> tuple[Role, ...]:
    roles = roles_in(text)
    if roles is None:
        raise SettingError("only", f"some of {', '.join(ROLES)}, separated by commas")
    return roles


def _region(text: str) -> str:
    # Not every process needs the numbering plans of the world.
    from clientela.adapters.identifiers import Identifiers  # noqa: PLC0415

    try:
        Identifiers(text)
    except InvalidValueError:
        raise SettingError("region", "two capital letters of ISO 3166, such as DE") from None
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise SettingError("database_url", _DATABASE) from None
    if text and parts.scheme not in {"postgresql", "postgres"}:
        raise SettingError("database_url", _DATABASE)
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
    if settings.trace_endpoint and not _COLLECTOR.fullmatch(settings.trace_endpoint):
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
