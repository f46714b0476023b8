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
        yield f"clientela: {self.problem}"
        if self.reason:
            known = {k: v for k, v in self.details.items() if k != "because"}
            said = "".join(f"  {name}={value}" for name, value in sorted(known.items()))
            yield f"  reason: {self.reason}{said}"
        if self.details.get("because"):
            yield f"  because of: {self.details['because']}"
        for path, text in self.violations.items():
            if text == self.problem:
                continue
            yield f"  {path}: {text}" if path else f"  {text}"
        if self.advice:
            yield f"  {self.advice}"


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Turn what may go wrong on this machine into a `VerbError` that says what to do."""
    from clientela.adapters.keys.failures import KeysError
    from clientela.adapters.settings import SettingError
    from clientela.adapters.sqlite.files import DatabaseLockedError
    from clientela.adapters.telemetry.failures import TelemetryError
    from clientela.adapters.tokens.callers import CallersError
    from clientela.adapters.tokens.key_set import KeySetError
    from clientela.adapters.tokens.transport import TransportFileError
    from clientela.services.bus import BusError, BusUnavailableError
    from clientela.services.server import AddressError, ServerError
    from clientela.services.store_errors import StoreError

    try:
        yield
    except SettingError as error:
        raise VerbError(Exit.USAGE, str(error)) from None
    except DatabaseLockedError as error:
        raise VerbError(Exit.UNREACHABLE, str(error)) from None
    except AddressError as error:
        advice = "Name another port with --port; 0 lets the system choose."
        raise VerbError(Exit.UNREACHABLE, str(error), advice=advice) from None
    except BusUnavailableError as error:
        raise VerbError(Exit.UNREACHABLE, str(error)) from None
    except BusError as error:
        raise VerbError(Exit.FAILED, str(error)) from None
    except (StoreError, KeysError, KeySetError, CallersError, TransportFileError) as error:
        raise VerbError(Exit.FAILED, str(error)) from None
    except (ServerError, TelemetryError) as error:
        raise VerbError(Exit.FAILED, str(error)) from None
    except sqlite3.Error as error:
        raise VerbError(Exit.FAILED, f"the database: {error}") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise VerbError(Exit.FAILED, f"{where}{error.strerror or error}") from None
