"""
What a store answers when it does not do what it is asked.

    StoreError                    it cannot, now or ever
      - StoreUnavailableError     now
      - StoreUnsuitableError      ever: wrong schema, weak settings, in use
    ConflictError                 another append was faster: load again and decide again
      - VersionConflictError, KeyConflictError, RequestConflictError, PersonKeyConflictError,
        KekRetiredError, ModelMovedError
"""

from __future__ import annotations

from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import NeededError


class StoreError(Exception):
    """The store cannot do it now or ever; the adapter's own errors never leave the adapter."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or has stopped serving; trying again later may help."""


class StoreUnsuitableError(StoreError):
    """The store is not what it must be: wrong schema, weak settings, in use by another process."""


class ConflictError(Exception):
    """Another append was faster; load again and decide again."""


class VersionConflictError(ConflictError):
    """
    A journal has moved on.

    Attributes:
        journal_id: Which one.
    """

    def __init__(self, journal_id: JournalId) -> None:
        self.journal_id = journal_id
        super().__init__(f"{journal_id} has moved on")


class KeyConflictError(ConflictError):
    """
    A key was taken meanwhile.

    Attributes:
        key: Which one.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        super().__init__(f"a key of {key.scope} was taken")


class PersonKeyConflictError(ConflictError):
    """
    A person got a key meanwhile, or was erased.

    Attributes:
        person: Who.
    """

    def __init__(self, person: JournalId) -> None:
        self.person = person
        super().__init__(f"the key of {person} was made or destroyed meanwhile")


class KekRetiredError(ConflictError):
    """
    New keys are wrapped under another key-encryption key by now; load the keyring again.

    Attributes:
        kek_id: The retired one.
    """

    def __init__(self, kek_id: str) -> None:
        self.kek_id = kek_id
        super().__init__("the key-encryption key was rotated meanwhile")


class RequestConflictError(ConflictError):
    """The same request was answered meanwhile."""

    def __init__(self) -> None:
        super().__init__("the same request was answered meanwhile")


class ModelMovedError(ConflictError):
    """
    Somebody has taken events into a read model meanwhile; go on from where it is.

    Attributes:
        model: Which one.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(f"the read model {model} has moved on")


class KeyNeededError(NeededError):
    """
    A decision needs the key of a person whose row was not loaded.

    Attributes:
        person: Whose.
    """

    def __init__(self, person: JournalId) -> None:
        self.person = person
        super().__init__(f"the key of {person} is needed")
