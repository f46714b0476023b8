"""
Lifecycle models that have lost a stage in which clients stand, or are gone, over a real socket.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.story import AT, ONE_DAY, TOWN, bought
from tests.system.town import town
from tests.system.wire import Wire


CARE = TOWN[TOWN.index("[[lifecycle.models]]") :]
"""The shop's own model."""

CLIENTS = ("petra", "lena", "pavel")


async def counts(wire: Wire, **fields: Any) -> tuple[dict[str, int], int]:
    """Clients by stage, and how many there are in all."""
    answer = await wire.call("CountStages", model="care", **fields)
    return {each.stage: each.clients for each in answer.counts}, answer.clients


@pytest.mark.parametrize("fields", [{}, {"unit_id": "head"}])
async def test_client_in_a_stage_that_was_taken_out_is_counted(tmp_path, fields):
    """
    LIFE-13: every client is counted once and the counts sum to the clients, also while some wait to
    be moved out of a stage that their model no longer has.
    """
    async with town(tmp_path) as service:
        for each in (bought(client_id, f"late-{client_id}", 150) for client_id in CLIENTS):
            await service.wire.call(each.method, **each.fields)
        before, clients = await counts(service.wire, **fields)
        in_good = before.pop("good")
        assert in_good >= 1
        await service.wire.call("ApplyDefinitions", toml=TOWN.replace('"good"', '"fine"'))

        after = await counts(service.wire, **fields)

        assert ({**before, "fine": 0, "good": in_good}, clients) == after


async def test_the_past_of_a_model_that_is_gone_is_told(tmp_path):
    """
    REC-3: where clients stood in a model is told after it was taken out of the definitions; a model
    that never was is not there.
    """
    then = {"effective_at": AT + 40 * ONE_DAY}
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("GetStage", {}),
        ("GetStage", {"as_of": then}),
        ("ExplainStage", {"as_of": then}),
        ("ListStageVisits", {}),
        ("ListStageVisits", {"as_of": then}),
    )
    async with town(tmp_path) as service:
        wire = service.wire

        async def told(model: str) -> list[Any]:
            fields = {"client_id": "petra", "model": model}
            return [await wire.call(method, **fields, **more) for method, more in questions]

        before = await told("care")
        await wire.call("ApplyDefinitions", toml=TOWN.replace(CARE, ""))

        assert before == await told("care")
        for method, more in questions:
            never = {"client_id": "petra", "model": "never", **more}
            refusal = await wire.refused(method, **never)
            assert ("NOT_FOUND", "NOT_FOUND") == (refusal.code, refusal.reason), method
