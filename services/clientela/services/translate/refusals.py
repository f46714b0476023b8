"""
What is refused while messages are read, before any rule is asked.

    DomainError
      + RequestIdRequiredError    a mutation without a request id           INVALID
      + PageTokenError            a page token that is none of this list    INVALID
      + VersionAheadError         a version that is not known here yet      CONFLICT
"""

from __future__ import annotations

from clientela.domain.errors import Category, DomainError
from clientela.domain.ids import JournalId


class RequestIdRequiredError(DomainError):
    """A mutation names no attempt, so that a repeat could take effect twice."""

    reason = "REQUEST_ID_REQUIRED"

    def __init__(self) -> None:
        super().__init__("request_id is required: a fresh UUID for each new attempt")

    def details(self) -> dict[str, str]:
        """The field and what it should be."""
        return {"field": "request_id", "expected": "1 to 128 characters, best a fresh UUID"}


class PageTokenError(DomainError):
    """The page token is none of this list, or belongs to a request with other filters."""

    reason = "PAGE_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("page_token belongs to no page of this request; begin without one")

    def details(self) -> dict[str, str]:
        """The field and what it should be."""
        return {"field": "page_token", "expected": "next_page_token of the same request"}


class VersionAheadError(DomainError):
    """
    A read names a version that is not known here yet; trying again may help.

    Attributes:
        journal_id: Which journal.

        version: The version named.
    """

    reason = "VERSION_AHEAD"
    category = Category.CONFLICT

    def __init__(self, journal_id: JournalId, version: int) -> None:
        self.journal_id = journal_id
        self.version = version
        super().__init__(f"{journal_id} has not reached version {version} here")

    def details(self) -> dict[str, str]:
        """Journal and version."""
        return {"journal": str(self.journal_id), "version": str(self.version)}
