"""
Who could reach the service, and what the settings leave open.
"""

from __future__ import annotations

import socket

from collections.abc import Iterator, Mapping

from clientela.adapters.addresses import found
from clientela.adapters.checks.files import readable
from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.environment import unknown_variables
from clientela.adapters.settings import Mode, Settings
from clientela.services.server import Listener


CONNECT_SECONDS_MAX = 1.0


def service(settings: Settings) -> Iterator[Finding]:
    """Whether a service runs over the folder, or could listen where it is to."""
    said = found(settings.address_file)
    if said is not None:
        host, _, port = said.target.rpartition(":")
        if _answers(host, int(port)):
            only = f", only as {' and '.join(said.only)}" if said.only else ""
            yield good("service", f"runs at {said.target}, process {said.pid}{only}")
            return
        yield poor("service", f"one was killed; {settings.address_file} is left of it")
    try:
        is_taken = _answers(settings.host, settings.port)
    except socket.gaierror:
        yield bad("port", f"{settings.host} is no address that this machine knows; name another")
        return
    if is_taken:
        text = f"something else listens on {settings.host}:{settings.port}; name another port"
        yield bad("port", text)
    else:
        yield good("port", f"{settings.host}:{settings.port} is free")


def exposure(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What the settings leave open."""
    is_local = Listener(f"{settings.host}:{settings.port}").is_loopback
    is_encrypted = settings.tls_certificate is not None
    yield from _mode(settings, is_local=is_local)
    if not is_encrypted and not is_local:
        text = f"none on {settings.host}: serve refuses to start; give it a certificate and a key"
        yield bad("encryption", text)
    elif not is_encrypted and settings.mode is Mode.PRODUCTION:
        yield poor("encryption", "none; only this machine will be listened to")
    is_watched_here = Listener(f"{settings.metrics_host}:0").is_loopback
    if settings.metrics_port is not None and not is_watched_here and not is_encrypted:
        yield bad("metrics", f"unencrypted on {settings.metrics_host}: give it a certificate")
    yield from readable(
        (
            settings.jwks_file,
            settings.callers_file,
            settings.tls_certificate,
            settings.tls_key,
            settings.tls_client_ca,
        )
    )
    for variable in unknown_variables(environment):
        yield poor("environment", f"{variable} is no setting; is it misspelt?")


def _mode(settings: Settings, *, is_local: bool) -> Iterator[Finding]:
    if settings.mode is Mode.PRODUCTION:
        if settings.reflection:
            yield poor("reflection", "on: whoever may call learns every rpc; leave it out")
        return
    if is_local:
        text = "development: callers on this machine are believed; say --mode production"
        yield poor("mode", text)
    else:
        text = f"development on {settings.host}: serve refuses to start; say --mode production"
        yield bad("mode", text)


def _answers(host: str, port: int) -> bool:
    if not port:
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(CONNECT_SECONDS_MAX)
        return probe.connect_ex((host.strip("[]"), port)) == 0
