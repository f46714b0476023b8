"""
Servicer of HistoryService.

    commands -> lanes: those of one client one after the other, 32 clients at the same time
                  |
                  +-> let in like a call of its own -> the same command path -> its own result
                                                     told of in figures and log <-+
"""

from __future__ import annotations

import asyncio

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from clientela.domain.errors import DomainError, InvalidValueError
from clientela.domain.identity.profile import IDENTITY
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.purchase.recording import PURCHASE
from clientela.services.admission import RETRY_AFTER
from clientela.services.audit import Audit
from clientela.services.calls import ContendedError
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.errands import Errands
from clientela.services.error_codes import code_of, status_of
from clientela.services.purchase_service import PurchaseServicer
from clientela.services.refusals import OverloadedError
from clientela.services.request_context import RequestContext, current, enter
from clientela.services.seen import Brought, note_brought
from clientela.services.translate.client import register_client
from clientela.services.translate.interaction import record_interaction
from clientela.services.translate.purchase import record_purchase
from clientela.v1 import history_pb2 as pb
from clientela.v1 import history_pb2_grpc


COMMANDS_MAX = 200
"""Commands of one call."""

LANES_AT_ONCE = 32
"""Clients whose commands are carried out at the same time, of all calls: others are served too."""

CALLS_AT_ONCE = LANES_AT_ONCE
"""Calls carried out at the same time: more would wait, in the room that all commands share."""

METHODS: Mapping[str, str] = {
    "register_client": "clientela.v1.ClientService.RegisterClient",
    "record_purchase": "clientela.v1.PurchaseService.RecordPurchase",
    "record_return": "clientela.v1.PurchaseService.RecordReturn",
    "record_interaction": "clientela.v1.InteractionService.RecordInteraction",
}
"""The rpc that each command is when it comes alone, by its field."""

PATHS: Mapping[str, str] = {
    name: "/{}/{}".format(*method.rsplit(".", 1)) for name, method in METHODS.items()
}
"""The same as the transport has it."""

NO_COMMAND = "/clientela.v1.HistoryService/RecordHistory"
"""What something that asks for nothing is told of as."""


class HistoryServicer(history_pb2_grpc.HistoryServiceServicer):
    """
    Has many commands of one call carried out.

    Args:
        core: What servicers work with.

        audit: Notes denials.
    """

    def __init__(self, core: Core, audit: Audit) -> None:
        self._core = core
        directory = JournalDirectory(core.path.records, core.reads)
        self._errands = Errands(tuple(METHODS.values()), directory, audit, core.clock)
        self._purchases = PurchaseServicer(core)
        self._room = asyncio.Semaphore(LANES_AT_ONCE)
        self._calls = 0
        # Whoever told the last command before is likely to have told the next one, too.
        self._repeats = False

    async def RecordHistory(
        self, request: pb.RecordHistoryRequest, context: Any
    ) -> pb.RecordHistoryResponse:
        commands = request.commands
        if not 1 <= len(commands) <= COMMANDS_MAX:
            raise InvalidValueError("commands", f"1 to {COMMANDS_MAX} commands")
        if self._calls >= CALLS_AT_ONCE:
            raise OverloadedError(RETRY_AFTER)
        self._calls += 1
        try:
            return pb.RecordHistoryResponse(results=await self._results(commands))
        finally:
            self._calls -= 1

    async def _results(self, commands: Sequence[pb.HistoryCommand]) -> list[pb.HistoryResult]:
        """Carry out *commands*, and tell what each came to."""
        results = [pb.HistoryResult() for _ in commands]
        lanes: dict[str, list[int]] = {}
        for place, command in enumerate(commands):
            lanes.setdefault(_lane(command), []).append(place)
        contexts: dict[str, RequestContext] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for places in lanes.values():
                    told = [(commands[place], results[place]) for place in places]
                    group.create_task(self._carry_out(told, contexts))
        except ExceptionGroup as failed:
            # The call fails as a whole: whatever was carried out is found done by the next one.
            raise failed.exceptions[0] from None
        return results

    async def _carry_out(
        self,
        lane: list[tuple[pb.HistoryCommand, pb.HistoryResult]],
        contexts: dict[str, RequestContext],
    ) -> None:
        """Carry out the commands of one client, and fill in what they came to."""
        async with self._room:
            call = current()
            for place, (command, result) in enumerate(lane):
                name = command.WhichOneof("command") or ""
                try:
                    if name not in contexts:
                        contexts[name] = await self._context(call, name)
                    enter(attrs.evolve(contexts[name], repeats=self._repeats))
                    await self._carried_out(name, getattr(command, name), result)
                    note_brought(Brought(PATHS[name]), "")
                except DomainError as error:
                    # After a conflict it may be carried out yet; nothing may overtake it.
                    is_last = isinstance(error, ContendedError)
                    for each in lane[place:] if is_last else lane[place : place + 1]:
                        _refuse(*each, error)
                    if is_last:
                        return

    async def _context(self, call: RequestContext, name: str) -> RequestContext:
        """
        The context of commands of this field in *call*.

        Raises:
            InvalidValueError: it is none.

            AccessDeniedError: the caller may not.
        """
        if not name:
            raise InvalidValueError("command", "a value: it is required")
        return await self._errands.context(call, METHODS[name])

    async def _carried_out(self, name: str, request: Any, result: pb.HistoryResult) -> None:
        """
        Carry out one command, and fill in what it came to.

        Raises:
            DomainError: it is refused.
        """
        await self._errands.check(current(), request)
        result.client_id = request.client_id
        match name:
            case "register_client":
                registration = register_client(request, self._core.ids)
                _, outcome = await self._core.mutate(request, registration, IDENTITY)
                result.client_id = registration.client_id
            case "record_purchase":
                purchase = record_purchase(request)
                _, outcome = await self._core.mutate(request, purchase, PURCHASE)
            case "record_return":
                answer = await self._purchases.RecordReturn(request, None)
                result.unmatched_lines = len(answer.unmatched)
                outcome = answer.outcome
            case _:
                interaction = record_interaction(request)
                _, outcome = await self._core.mutate(request, interaction, INTERACTION)
        result.outcome.CopyFrom(outcome)
        self._repeats = outcome.replayed


def _refuse(command: pb.HistoryCommand, result: pb.HistoryResult, error: DomainError) -> None:
    """Answer a command by an error, and have that told."""
    result.refusal.CopyFrom(status_of(error, ""))
    name = command.WhichOneof("command") or ""
    brought = Brought(PATHS.get(name, NO_COMMAND), code_of(result.refusal).name, error.reason)
    note_brought(brought, getattr(command, name).request_id if name else "")


def _lane(command: pb.HistoryCommand) -> str:
    """Whom a command names: by the id, or a registration by what its system calls the client."""
    name = command.WhichOneof("command")
    if name is None:
        return ""
    request: Any = getattr(command, name)
    if request.client_id or name != "register_client":
        return str(request.client_id)
    return f"{request.source.source}/{request.source.id}"
