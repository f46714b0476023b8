"""
What the edge refuses before a servicer is asked.

    DomainError
      + AccessDeniedError       the principal may not do this       FORBIDDEN
      + OverloadedError         too many calls at once              LIMIT
        - RateLimitedError      too many calls of one principal     LIMIT
    EdgeError
      + UnauthenticatedError    no credentials, or none that hold
      + DeadlineError           the time the caller gave is over

The last two have no category, because no rule could ever bring them about.
"""

from __future__ import annotations

from datetime import timedelta

from clientela.domain.errors import Category, DomainError
from clientela.domain.ids import Code


class AccessDeniedError(DomainError):
    """
    The principal may not do this (OWN-15).

    Attributes:
        permission: What it would take.
    """

    reason = "ACCESS_DENIED"
    category = Category.FORBIDDEN

    def __init__(self, permission: Code) -> None:
        self.permission = permission
        super().__init__("this principal may not do this")

    def details(self) -> dict[str, str]:
        """The permission it would take."""
        return {"permission": self.permission}


class OverloadedError(DomainError):
    """
    Too many calls at once; nothing was begun.

    Attributes:
        retry_after: When trying again may help.
    """

    reason = "OVERLOADED"
    category = Category.LIMIT

    def __init__(self, retry_after: timedelta, text: str = "too many calls at once") -> None:
        self.retry_after = retry_after
        super().__init__(f"{text}; try again later")


class RateLimitedError(OverloadedError):
    """The principal calls more often than it may; nothing was begun."""

    reason = "RATE_LIMITED"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(retry_after, "this principal calls too often")


class EdgeError(Exception):
    """Root of what only the edge refuses."""


class UnauthenticatedError(EdgeError):
    """
    No credentials, or none that hold. A caller is never told which.

    Attributes:
        cause: What was wrong, a code for logs and audit.
    """

    def __init__(self, cause: str) -> None:
        self.cause = Code(cause)
        super().__init__(cause)


class DeadlineError(EdgeError):
    """The time the caller gave is over, or too short to begin."""
