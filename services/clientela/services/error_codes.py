"""
From errors to what goes over the wire: one complete table.

Every error leaves as a `google.rpc.Status` with exactly one `ErrorInfo`; what is not in the table
leaves as INTERNAL with a reference and no text. Texts and data are clipped, so that a long value
in a request cannot push an answer over what callers take as metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import attrs
import grpc

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status

from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.errors import Category, DomainError
from clientela.services.bus import BusUnavailableError
from clientela.services.calls import ContendedError
from clientela.services.refusals import DeadlineError, OverloadedError, UnauthenticatedError
from clientela.services.store_errors import (
    ConflictError,
    StoreUnavailableError,
    StoreUnsuitableError,
)


DOMAIN = "clientela"
"""Domain of every `ErrorInfo`."""

TEXT_BYTES_MAX = 256
"""Bytes of a text or value that leaves; the rest is cut off."""

VIOLATIONS_BYTES_MAX = 3 * 1_024
"""Bytes of all violations together; callers take about 8 KiB of metadata in all."""

ENTRIES_MAX = 12
"""Entries of an error's data that leave."""

CODES: Mapping[Category, grpc.StatusCode] = MappingProxyType(
    {
        Category.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        Category.MISSING: grpc.StatusCode.NOT_FOUND,
        Category.TAKEN: grpc.StatusCode.ALREADY_EXISTS,
        Category.RULE: grpc.StatusCode.FAILED_PRECONDITION,
        Category.LIMIT: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Category.CONFLICT: grpc.StatusCode.ABORTED,
        Category.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    }
)
"""Code of every category of `DomainError`."""


@attrs.frozen
class Answer:
    """
    What a foreign error is answered with; its own text never leaves.

    Attributes:
        code: The code.

        reason: Stable reason.

        text: What a caller is told.

        retry_after: When trying again may help; None if it will not.
    """

    code: grpc.StatusCode
    reason: str
    text: str
    retry_after: timedelta | None = None


ANSWERS: Mapping[type[Exception], Answer] = MappingProxyType(
    {
        UnauthenticatedError: Answer(
            grpc.StatusCode.UNAUTHENTICATED,
            "UNAUTHENTICATED",
            "no credentials, or none that hold",
        ),
        DeadlineError: Answer(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED",
            "the time for this call is over; repeat it with the same request id",
        ),
        StoreUnavailableError: Answer(
            grpc.StatusCode.UNAVAILABLE,
            "STORE_UNAVAILABLE",
            "the store cannot be reached; repeat the call with the same request id",
            timedelta(seconds=1),
        ),
        StoreUnsuitableError: Answer(
            grpc.StatusCode.FAILED_PRECONDITION,
            "STORE_UNSUITABLE",
            "the store is not what it must be; the operator has to act",
        ),
        ConflictError: Answer(
            grpc.StatusCode.ABORTED,
            "VERSION_CONFLICT",
            "somebody else was faster; repeat the call with the same request id",
            timedelta(milliseconds=50),
        ),
        BusUnavailableError: Answer(
            grpc.StatusCode.UNAVAILABLE,
            "BUS_UNAVAILABLE",
            "the bus cannot be reached; events wait in the store",
            timedelta(seconds=1),
        ),
        NotImplementedError: Answer(
            grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED", "this service does not do this"
        ),
    }
)
"""What errors are answered with that are not of the domain."""

CONTENDED_RETRY = timedelta(milliseconds=100)
"""When to try again after a record was too busy."""


def code_of(status: Status) -> grpc.StatusCode:
    """The code of *status* as grpc names it."""
    return _BY_NUMBER[status.code]


def is_told(error: Exception) -> bool:
    """Whether a caller is told what *error* is; otherwise it is a fault of the service."""
    return isinstance(error, (DomainError, *ANSWERS))


def reason_of(error: Exception) -> str:
    """The stable reason that a caller is told of *error*."""
    if isinstance(error, DomainError):
        return error.reason
    return next((a.reason for kind, a in ANSWERS.items() if isinstance(error, kind)), "INTERNAL")


def status_of(error: Exception, reference: str) -> Status:
    """
    What *error* is answered with.

    Args:
        error: Any.

        reference: What the operator finds the error by, told for faults of the service only.
    """
    if isinstance(error, DomainError):
        return _told(error)
    for kind, answer in ANSWERS.items():
        if isinstance(error, kind):
            return _status(answer.code, answer.text, answer.reason, {}, *_retry(answer.retry_after))
    return _status(
        grpc.StatusCode.INTERNAL,
        "internal error",
        "INTERNAL",
        {"reference": reference},
    )


def _told(error: DomainError) -> Status:
    text, details = clipped(str(error)), error.details()
    more: list[Message] = []
    if isinstance(error, DefinitionsError):
        # Each problem is a violation; what does not fit is counted.
        more.append(_bad_request(details))
        details = {"problems": str(len(error.problems))}
    elif error.category is Category.INVALID and "field" in details:
        more.append(_bad_request({details["field"]: text}))
    if error.category is Category.RULE and "rule" in details:
        broken = PreconditionFailure.Violation(type=clipped(details["rule"]), description=text)
        more.append(PreconditionFailure(violations=[broken]))
    more.extend(_retry(_retry_after(error)))
    return _status(CODES[error.category], text, error.reason, details, *more)


def _bad_request(problems: Mapping[str, str]) -> BadRequest:
    bad = BadRequest()
    for field, text in problems.items():
        violation = BadRequest.FieldViolation(field=clipped(field), description=clipped(text))
        if bad.ByteSize() + violation.ByteSize() > VIOLATIONS_BYTES_MAX:
            break
        bad.field_violations.append(violation)
    return bad


def _retry_after(error: DomainError) -> timedelta | None:
    match error:
        case OverloadedError(retry_after=retry_after):
            return retry_after
        case ContendedError():
            return CONTENDED_RETRY
        case _:
            return None


def _retry(after: timedelta | None) -> tuple[Message, ...]:
    if after is None:
        return ()
    info = RetryInfo()
    info.retry_delay.FromTimedelta(after)
    return (info,)


def _status(
    code: grpc.StatusCode, text: str, reason: str, details: Mapping[str, str], *more: Message
) -> Status:
    entries = sorted(details.items())[:ENTRIES_MAX]
    info = ErrorInfo(
        reason=reason,
        domain=DOMAIN,
        metadata={clipped(name): clipped(value) for name, value in entries},
    )
    status = Status(code=_NUMBERS[code], message=text)
    for detail in (info, *more):
        packed = AnyMessage()
        # In a fixed order, so that a repeat is answered byte for byte the same.
        packed.Pack(detail, deterministic=True)
        status.details.append(packed)
    return status


def clipped(text: str) -> str:
    """*text*, cut off after `TEXT_BYTES_MAX` bytes of UTF-8."""
    encoded = text.encode("utf-8", errors="replace")
    if len(encoded) <= TEXT_BYTES_MAX:
        return encoded.decode()
    return f"{encoded[: TEXT_BYTES_MAX - 3].decode(errors='ignore')}..."


_NUMBERS: Mapping[grpc.StatusCode, int] = {code: code.value[0] for code in grpc.StatusCode}
_BY_NUMBER: Mapping[int, grpc.StatusCode] = {number: code for code, number in _NUMBERS.items()}
