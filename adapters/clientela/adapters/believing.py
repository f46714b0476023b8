"""
Whom a service believes, by its settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from clientela.adapters.settings import Mode, Settings
from clientela.adapters.tokens.callers import callers_of
from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.either import EitherAuthenticator
from clientela.adapters.tokens.key_set import KeySet
from clientela.adapters.tokens.own import OwnAuthenticator
from clientela.adapters.tokens.web_token import Issuer, TokenAuthenticator
from clientela.domain.event import ActorKind
from clientela.services.access import AccessTable
from clientela.services.clocks import SystemClock
from clientela.services.principal import Authenticator
from clientela.services.service_names import Service, service_names


def authenticator_of(
    settings: Settings, services: Sequence[Service], secret: str = ""
) -> Authenticator:
    """
    Tells who calls *services*.

    Args:
        settings: In development callers are who they say they are; in production they show a
            token, or a certificate.

        services: What they call.

        secret: What callers of a private service must know besides; empty for a public one.

    Raises:
        KeySetError: the file of public keys must not be used.

        CallersError: nor the file of callers.
    """
    if secret:
        return OwnAuthenticator(secret=secret, inner=_trusting(services))
    if settings.mode is Mode.DEVELOPMENT:
        return _trusting(services)
    return EitherAuthenticator(tokens=_tokens(settings), certificates=_certificates(settings))


def _trusting(services: Sequence[Service]) -> DevelopmentAuthenticator:
    return DevelopmentAuthenticator(AccessTable.of_services(service_names(services)).permissions)


def _tokens(settings: Settings) -> TokenAuthenticator | None:
    if settings.jwks_file is None:
        return None
    issuer = Issuer(
        name=settings.issuer,
        audience=settings.audience,
        keys=KeySet(settings.jwks_file),
        kinds=frozenset(ActorKind) - {ActorKind.SYSTEM},
    )
    # Tokens expire in real time, whatever time it is in the store.
    return TokenAuthenticator((issuer,), SystemClock())


def _certificates(settings: Settings) -> CertificateAuthenticator | None:
    if settings.callers_file is None:
        return None
    return CertificateAuthenticator(callers_of(settings.callers_file))
