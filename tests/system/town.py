"""
The shop at the end of its story, served.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from clientela.v1 import common_pb2
from tests.system.story import Step, step, told
from tests.system.wire import Service, Wire, served


PETRA = {"kind": common_pb2.JOURNAL_KIND_CLIENT, "id": "petra"}
PETRAS_WALLET = {"kind": common_pb2.JOURNAL_KIND_WALLET, "id": "petra"}

READS = (
    step("GetClient", client_id="petra"),
    step("ListClients"),
    step("FindClients", name="petra"),
    step("GetTimeline", client_id="petra"),
    step("GetOwnership", client_id="petra"),
    step("ListOwnershipSpells", client_id="petra"),
    step("ListOrphans"),
    step("GetPurchase", purchase={"source": "till", "id": "1"}),
    step("ListUnmatchedReturns"),
    step("GetStage", client_id="petra", model="care"),
    step("ListStageVisits", client_id="petra", model="care"),
    step("ExplainStage", client_id="petra", model="care"),
    step("CountStages", model="care"),
    step("ListCards", wallet_id="lena"),
    step("GetBalance", wallet_id="petra"),
    step("GetStatement", wallet_id="petra"),
    step("ExplainBalance", wallet_id="petra"),
    step("GetUnit", unit_id="north"),
    step("ListUnits"),
    step("GetEmployee", employee_id="marta"),
    step("ListEmployees"),
    step("GetDefinitions"),
    step("ListDefinitionVersions"),
    step("ListPresets"),
    step("ReadJournal", journal=PETRA),
    step("ReadEvents"),
    step("GetStats"),
    step("GetStatus"),
    step("Verify"),
)
"""Every rpc that answers a question."""


async def tell(wire: Wire, *more: Step) -> None:
    """The whole story, and *more*."""
    for each in (*told(), *more):
        await wire.call(each.method, **each.fields)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Service]:
    """The shop at the end of its story."""
    async with served(folder, virtual_clock=True) as service:
        await tell(service.wire)
        await service.running.core.follow_ups.catch_up()
        yield service
