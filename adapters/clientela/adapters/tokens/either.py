"""
A token if one is shown, else a certificate: a token that does not hold is never made up for.
"""

from __future__ import annotations

import attrs

from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.web_token import AUTHORIZATION_HEADER, TokenAuthenticator
from clientela.services.principal import Credentials, Principal
from clientela.services.refusals import UnauthenticatedError


@attrs.frozen
class EitherAuthenticator:
    """
    Tells who calls from a token or a certificate.

    Attributes:
        tokens: For calls that show a token.

        certificates: For calls that show none.
    """

    tokens: TokenAuthenticator | None = None
    certificates: CertificateAuthenticator | None = None

    @property
    def is_for_trials(self) -> bool:
        """Both are the real thing."""
        return False

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        The principal behind the token or the certificate.

        Raises:
            UnauthenticatedError: there is none.
        """
        if AUTHORIZATION_HEADER in credentials.metadata:
            if self.tokens is None:
                raise UnauthenticatedError("none")
            return self.tokens.authenticate(credentials)
        if self.certificates is None:
            raise UnauthenticatedError("none")
        return self.certificates.authenticate(credentials)
