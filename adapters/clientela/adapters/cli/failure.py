"""
How a verb fails: with a code of one table, what is wrong, why, and what to do.

    0  done
    1  refused, or failed: the reason is said
    2  the command line, a setting or a mapping cannot be understood
    3  the service cannot be reached, or somebody else holds the data
    4  rows were rejected by an import; the others are in
    5  a check found problems
"""

from __future__ import annotations

import contextlib
import enum
import sqlite3

from collections.abc import Generator, Iterator, Mapping


class Exit(enum.IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    REJECTS = 4
    PROBLEMS = 5


EPILOGUE = (
    "Exit codes: 0 done; 1 refused or failed; 2 not understood; 3 service unreachable or data in"
    " use; 4 rows were rejected; 5 problems were found."
)
"""The table as `--help` shows it."""


class VerbError(Exception):
    """
    A verb cannot do what it was asked.

    Attributes:
        code: How the process ends.

        problem: What is wrong, without personal values.

        advice: What to do; empty where the problem says it.

        reason: The stable reason of a refusal; empty for none.

        details: Data of a refusal.

        violations: What is wrong field by field, by path.
    """

    def __init__(
        self,
        code: Exit,
        problem: str,
        *,
        advice: str = "",
        reason: str = "",
        details: Mapping[str, str] | None = None,
        violations: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.problem = problem
        self.advice = advice
        self.reason = reason
        self.details = dict(details or {})
        self.violations = dict(violations or {})
        super().__init__(problem)

    def told(self) -> Iterator[str]:
        """The lines that go to the error output."""
        first, *others = self.problem.splitlines() or [""]
        listed = {f"{path}: {text}" if path else text for path, text in self.violations.items()}
        yield f"clientela: {first}"
        yield from (f"  {line}" for line in others if line not in listed)
        if self.reason:
            known = {k: v for k, v in self.details.items() if k != "because"}
            said = "".join(f"  {name}={value}" for name, value in sorted(known.items()))
            yield f"  reason: {self.reason}{said}"
        if self.details.get("because"):
            yield f"  because of: {self.details['because']}"
        for path, text in self.violations.items():
            line = f"{path}: {text}" if path else text
            if first not in {line, text}:
                yield f"  {line}"
        if self.advice:
            yield f"  {self.advice}"


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Turn what may go wrong on this machine into a `VerbError` that says what to do."""
    try:
        yield
    except (VerbError, BrokenPipeError):
        raise
    except Exception as error:
        failure = _failure_of(error)
        if failure is None:
            raise
        raise failure from None


def _failure_of(error: Exception) -> VerbError | None:
    """An error as a verb fails with it; None for a fault of ours."""
    # Looked for only now: these modules take longer to load than most verbs to do their work.
    from clientela.adapters.keys.failures import KeysError
    from clientela.adapters.settings import SettingError
    from clientela.adapters.sqlite.files import DatabaseLockedError
    from clientela.adapters.telemetry.failures import TelemetryError
    from clientela.adapters.tokens.callers import CallersError
    from clientela.adapters.tokens.key_set import KeySetError
    from clientela.adapters.tokens.transport import TransportFileError
    from clientela.services.bus import BusError, BusUnavailableError
    from clientela.services.server import AddressError, ServerError
    from clientela.services.store_errors import StoreError, StoreUnavailableError

    match error:
        case SettingError():
            return VerbError(Exit.USAGE, str(error))
        case AddressError():
            advice = "Name another port with --port; 0 lets the system choose."
            return VerbError(Exit.UNREACHABLE, str(error), advice=advice)
        case DatabaseLockedError() | BusUnavailableError() | StoreUnavailableError():
            return VerbError(Exit.UNREACHABLE, str(error))
        case BusError() | StoreError() | ServerError():
            return VerbError(Exit.FAILED, str(error))
        case KeysError() | KeySetError() | CallersError() | TransportFileError():
            return VerbError(Exit.FAILED, str(error))
        case TelemetryError():
            return VerbError(Exit.FAILED, str(error))
        case sqlite3.Error():
            return VerbError(Exit.FAILED, f"the database: {error}")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return VerbError(Exit.FAILED, f"{where}{error.strerror or error}")
        case _:
            return None
