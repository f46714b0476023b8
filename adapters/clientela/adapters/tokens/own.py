"""
A process that talks to the service it runs itself: nobody else knows the secret of the call.

    x-clientela-secret: made for this process and gone with it

For verbs of the command line that find no service running. Whoever may open the files may do
everything with them, so the process may do everything with its service; others who find its port
may do nothing.
"""

from __future__ import annotations

import hmac

import attrs

from clientela.services.principal import Authenticator, Credentials, Principal
from clientela.services.refusals import UnauthenticatedError


SECRET_HEADER = "x-clientela-secret"  # noqa: S105  # the name of one


@attrs.frozen(kw_only=True)
class OwnAuthenticator:
    """
    Believes whoever knows the secret.

    Attributes:
        secret: Made for this process.

        inner: Tells who calls.
    """

    secret: str = attrs.field(repr=False)
    inner: Authenticator

    @property
    def is_for_trials(self) -> bool:
        """Whether it listens on loopback only: always."""
        return True

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        The principal that the inner one tells.

        Raises:
            UnauthenticatedError: the caller does not know the secret, or does not say who it is.
        """
        said = credentials.only(SECRET_HEADER) or ""
        if not hmac.compare_digest(said.encode(), self.secret.encode()):
            raise UnauthenticatedError("secret")
        return self.inner.authenticate(credentials)
