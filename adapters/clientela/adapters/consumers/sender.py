"""
On whose behalf a message speaks: by credentials in its headers, or by having got onto the stream.

    authorization: Bearer <token>       whoever the token names
    x-clientela-actor: service/till     in development mode, believed
    neither                             the service's own principal for messages
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from clientela.adapters.tokens.development import ACTOR_HEADER
from clientela.adapters.tokens.web_token import AUTHORIZATION_HEADER
from clientela.services.entrance import CORRELATION_HEADER, ON_BEHALF_OF_HEADER, UNIT_HEADER
from clientela.services.history import CLOCK_HEADER
from clientela.services.inbound import SOURCE_HEADER
from clientela.services.principal import Authenticator, Credentials, Principal
from clientela.services.refusals import UnauthenticatedError


KEPT = frozenset(
    {CLOCK_HEADER, CORRELATION_HEADER, ON_BEHALF_OF_HEADER, SOURCE_HEADER, UNIT_HEADER}
)
"""Headers that matter when a message is carried out; none of them lets anybody in."""

CREDENTIALS = frozenset({ACTOR_HEADER, AUTHORIZATION_HEADER})
"""Headers that say who speaks."""

VALUE_LENGTH_MAX = 256
"""Characters of a kept header; a longer one is none of ours."""


@attrs.frozen(kw_only=True)
class Sender:
    """
    Tells who sends.

    Attributes:
        authenticator: Tells whose credentials a message bears.

        own: On whose behalf a message speaks that bears none.
    """

    authenticator: Authenticator
    own: Principal

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """
        On whose behalf a message speaks; None where its credentials do not hold.

        Args:
            headers: Names in small letters.
        """
        if CREDENTIALS.isdisjoint(headers):
            return self.own
        shown = Credentials(metadata={name: (value,) for name, value in headers.items()})
        try:
            return self.authenticator.authenticate(shown)
        except UnauthenticatedError:
            return None


def lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Headers by names in small letters."""
    return {name.lower(): value for name, value in (headers or {}).items()}


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of *headers* that matter when a message is carried out."""
    return {
        name: value
        for name, value in headers.items()
        if name in KEPT and len(value) <= VALUE_LENGTH_MAX
    }
