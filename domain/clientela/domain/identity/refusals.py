"""
What identity refuses.

    DomainError
      - AlreadyRegisteredError    the client is in the base already            REC-1
      - IdentifierLimitError      the client has as many identifiers as it may
    KeyTakenError
      - IdentifierTakenError      another client has it to itself              REC-8
      - SourceTakenError          another client bears this source id          REC-8
    RefusedError
      - ErasedClientError         the client's personal values were destroyed
"""

from __future__ import annotations

from clientela.domain.errors import Category, DomainError, KeyTakenError, RefusedError
from clientela.domain.event import Key
from clientela.domain.ids import ClientId, Ref


class AlreadyRegisteredError(DomainError):
    """
    The client is in the base already (REC-1).

    Attributes:
        client_id: Which client.
    """

    reason = "CLIENT_REGISTERED"
    category = Category.TAKEN

    def __init__(self, client_id: ClientId) -> None:
        self.client_id = client_id
        super().__init__(f"client {client_id} is registered already")

    def details(self) -> dict[str, str]:
        """The client, whom the caller named."""
        return {"client_id": self.client_id}


class IdentifierLimitError(DomainError):
    """
    The client has as many identifiers as one may have.

    Attributes:
        limit: How many that is.
    """

    reason = "IDENTIFIER_LIMIT"
    category = Category.LIMIT

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"a client has at most {limit} identifiers")

    def details(self) -> dict[str, str]:
        """The limit."""
        return {"limit": str(self.limit)}


class IdentifierTakenError(KeyTakenError):
    """
    Another client has this identifier to itself (REC-8).

    Attributes:
        key: Which identifier.

        client_id: The other client; told only to those who may see it.
    """

    reason = "IDENTIFIER_TAKEN"

    def __init__(self, key: Key, client_id: ClientId) -> None:
        self.client_id = client_id
        super().__init__(key)


class SourceTakenError(KeyTakenError):
    """
    Another client bears the id that the source gave (REC-8): the source means that one.

    Attributes:
        key: Of the source id.

        client_id: The other client; told only to those who may see it.
    """

    reason = "SOURCE_TAKEN"

    def __init__(self, key: Key, client_id: ClientId) -> None:
        self.client_id = client_id
        super().__init__(key)


class ErasedClientError(RefusedError):
    """
    The client's personal values were destroyed; nothing may be written into the profile again.

    Attributes:
        client_id: Which client.
    """

    reason = "CLIENT_ERASED"

    def __init__(self, client_id: ClientId, because: tuple[Ref, ...]) -> None:
        self.client_id = client_id
        super().__init__(f"client {client_id} was erased", rule="identity.erasure", because=because)
