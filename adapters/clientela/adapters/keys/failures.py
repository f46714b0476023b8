"""
What can go wrong with keys. Messages hold ids and paths, never a value and never key bytes.

    KeysError
      + KeyFileError             the operator must act on the key file
        - KeyFileMissingError    there is none
        - KeyFileExposedError    others may read it
        - KeyFileForeignError    it belongs to another user
        - KeyFileDamagedError    it is not what was written
        - KeyFileBusyError       another process is changing it
        - KeyFileChangedError    another process has changed it
      + KekUnknownError          a row belongs to a key file that is not this one
      + KeyRowBrokenError        a row was changed or moved
      + SealBrokenError          a sealed value was changed or moved
      + RotationStuckError       rows come up again that were wrapped anew

Rows that were taken, retired or not loaded are conflicts of the store and stand in its port.
`PersonErasedError` is of the domain's tree: a caller can bring it about.
"""

from __future__ import annotations

from pathlib import Path

from clientela.domain.errors import UnknownError
from clientela.domain.ids import JournalId
from clientela.domain.personal import Sealed


class KeysError(Exception):
    """Root of what can go wrong with keys; none of it is told to a caller."""


class KeyFileError(KeysError):
    """
    The operator must act on the key file.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"key file {path}: {problem}")


class KeyFileMissingError(KeyFileError):
    """There is no key file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "not found; put back the one that belongs to this database,"
            " without it no personal value can be read",
        )


class KeyFileExposedError(KeyFileError):
    """Somebody else may read the key file."""

    def __init__(self, path: Path, mode: int) -> None:
        self.mode = mode
        super().__init__(
            path,
            f"has mode {mode:04o} and others can read it; run `chmod 600 {path}`,"
            " and rotate the keys if anybody did",
        )


class KeyFileForeignError(KeyFileError):
    """The key file belongs to another user."""

    def __init__(self, path: Path, owner: int) -> None:
        self.owner = owner
        super().__init__(
            path, f"belongs to user {owner}; run `chown` so that it belongs to who runs this"
        )


class KeyFileDamagedError(KeyFileError):
    """The key file is not what was written."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, f"{problem}; put back a copy, do not edit it")


class KeyFileBusyError(KeyFileError):
    """Another process is changing the key file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another process is changing it; try again when it has ended")


class KeyFileChangedError(KeyFileError):
    """Another process has changed the key file since it was loaded."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another process has changed it; load it and try again")


class KekUnknownError(KeysError):
    """
    A row is wrapped under a key-encryption key that the key file does not hold.

    Attributes:
        kek_id: Which one.
    """

    def __init__(self, kek_id: str) -> None:
        self.kek_id = kek_id
        super().__init__(
            f"the key-encryption key {kek_id} is not in the key file;"
            " put back the one that belongs to this database"
        )


class KeyRowBrokenError(KeysError):
    """
    The row of a person's key was changed, or belongs to another person.

    Attributes:
        person: Whose.
    """

    def __init__(self, person: JournalId) -> None:
        self.person = person
        super().__init__(f"the key of {person} does not unwrap: the row was changed or moved")


class SealBrokenError(KeysError):
    """
    A sealed value was changed, or belongs to another person, event or field.

    Attributes:
        sealed: Which one.
    """

    def __init__(self, sealed: Sealed) -> None:
        self.sealed = sealed
        super().__init__(
            f"{sealed.field} of event {sealed.source} about {sealed.person} does not open:"
            " the value was changed or moved"
        )


class RotationStuckError(KeysError):
    """Rows come up again that were wrapped anew."""

    def __init__(self) -> None:
        super().__init__("rows wrapped anew come up again; the store did not replace them")


class PersonErasedError(UnknownError):
    """
    A value is about a person who was erased; nothing new is kept about them.
    """

    reason = "PERSON_ERASED"

    def __init__(self, person: JournalId) -> None:
        super().__init__(person.kind.value, person.id)
