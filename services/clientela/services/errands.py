"""
Errands: commands that one call brings along, each let in as if it had come alone.

    may call the rpc of the command -> the record is within reach -> the same command
"""

from __future__ import annotations

from typing import Any

import attrs

from google.protobuf.message import Message

from clientela.domain.errors import UnknownError
from clientela.services.access import AccessTable, MethodAccess
from clientela.services.audit import Audit
from clientela.services.directory import Directory
from clientela.services.entrance import NOT_TOLD
from clientela.services.personal_fields import is_shown
from clientela.services.ports import Clock
from clientela.services.refusals import AccessDeniedError
from clientela.services.request_context import RequestContext
from clientela.services.scope import check_target, reach_of


class Errands:
    """
    Lets commands in.

    Args:
        methods: Full names of the rpcs that they are when they come alone.

        directory: Tells where records stand.

        audit: Notes denials.

        clock: Tells the time.
    """

    def __init__(
        self, methods: tuple[str, ...], directory: Directory, audit: Audit, clock: Clock
    ) -> None:
        names = sorted({method.rpartition(".")[0] for method in methods})
        self._access = {each.method: each for each in AccessTable.of_services(names)}
        self._directory = directory
        self._audit = audit
        self._clock = clock

    async def context(self, call: RequestContext, method: str) -> RequestContext:
        """
        The context of commands that *call* brings along, decided on their journals' own clock.

        Args:
            call: The call.

            method: Full name of the rpc that they are when they come alone.

        Raises:
            AccessDeniedError: the caller may not call that rpc.
        """
        access, principal = self._access[method], call.principal
        try:
            grants = access.allowed(principal, self._clock.now())
        except AccessDeniedError as error:
            await self._audit.denied(str(principal.actor), method, "", error.reason)
            raise
        return attrs.evolve(
            call,
            access=access,
            reach=reach_of(principal, grants, access.scope),
            shows_personal=is_shown(principal, grants),
            tells_history=True,
        )

    async def check(self, context: RequestContext, request: Message) -> None:
        """
        Check that the record that *request* names is within reach.

        Raises:
            UnknownError: the record is not there, or not within reach.

            InvalidValueError: what names it is no id.
        """
        access = context.access
        try:
            await check_target(access, context.reach, _target(access, request), self._directory)
        except UnknownError as error:
            # Missing and foreign take the same time and leave the same row.
            actor = str(context.principal.actor)
            await self._audit.denied(actor, access.method, NOT_TOLD, error.reason)
            raise


def _target(access: MethodAccess, request: Any) -> str:
    """What names the record; empty where nothing does."""
    return getattr(request, access.target) if access.target else ""
