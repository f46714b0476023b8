"""
What all mutations have in common: how they are to be carried out, and what they came to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import CODE_LENGTH_MAX
from clientela.services.calls import Call, Outcome
from clientela.services.request_context import RequestContext
from clientela.services.translate.fields import moment_if_any
from clientela.services.translate.messages import fact_ref, journal_versions
from clientela.services.translate.refusals import RequestIdRequiredError
from clientela.services.translate.required import check_required
from clientela.v1 import common_pb2


REQUEST_ID_LENGTH_MAX = CODE_LENGTH_MAX


def call(request: Any, rule_set: str, context: RequestContext) -> Call:
    """
    How the command of *request* is to be carried out.

    Args:
        request: The request of a mutation.

        rule_set: Name of the rule set that its etag is about.

        context: Of the request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: the attempt's name is too long, or it is to be decided when it happened
            and does not say when.
    """
    if not request.request_id:
        raise RequestIdRequiredError
    if len(request.request_id) > REQUEST_ID_LENGTH_MAX:
        raise InvalidValueError("request_id", f"1 to {REQUEST_ID_LENGTH_MAX} characters")
    at = occurred_at(request) if context.tells_history else None
    if context.tells_history and at is None:
        raise InvalidValueError("occurred_at", "a moment: the call is decided at it")
    return context.call(
        request.request_id,
        validate_only=request.validate_only,
        etags={rule_set: request.etag} if request.etag else {},
        at=at,
    )


def occurred_at(request: Any) -> datetime | None:
    """When it happened, as the caller claims; None for now."""
    return moment_if_any(request, "occurred_at")


def check_mutation(request: Any, *, is_new: bool = False) -> None:
    """
    Check that *request* says what every mutation must say.

    Args:
        request: The request of a mutation.

        is_new: Whether it makes something new, which cannot have an etag yet.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a required field is missing, or there is an etag where there cannot be.
    """
    if not request.request_id:
        raise RequestIdRequiredError
    check_required(request)
    if is_new and request.etag:
        raise InvalidValueError("etag", "empty: there is nothing yet that could have changed")


def outcome(done: Outcome, etag: str, *, validate_only: bool) -> common_pb2.Outcome:
    """
    What a mutation came to.

    Args:
        done: What the command path gave.

        etag: Of the part of the record that the mutation works on, after it.

        validate_only: Whether nothing was appended; then there are neither events nor etag.
    """
    return common_pb2.Outcome(
        versions=journal_versions(done.versions),
        events=() if validate_only else (fact_ref(recorded.ref) for recorded in done.events),
        etag="" if validate_only else etag,
        replayed=done.replayed,
    )
