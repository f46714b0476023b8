"""
Who reaches what, by role, permission and unit, against a service in production mode.
"""

from __future__ import annotations

import re

from collections import Counter
from typing import Any

import pytest

from clientela.domain.organisation.roles import STAFF_ROLES
from clientela.services.access import Scope
from clientela.services.personal_fields import PERMISSION
from tests.services.edge import Refusal
from tests.system.parking import message, take
from tests.system.production import (
    ACCESS,
    PERMISSIONS,
    STAFF,
    Login,
    company,
    denials,
    login,
    one_of,
    production,
)
from tests.system.state import state_of
from tests.system.wire import METHODS, is_mutation


FIELDS: dict[str, dict[str, Any]] = {
    "AddIdentifier": {"identifier": {"kind": "phone", "text": "+79161234567"}},
    "AdjustPoints": {
        "adjustment": {"source": "s", "id": "1"},
        "points": 1,
        "reason": "goodwill",
    },
    "Approach": {"employee_id": "marta", "channel": "visit"},
    "BlockCard": {"card_id": "c", "reason": "lost"},
    "ExplainStage": {"model": "clm"},
    "GetStage": {"model": "clm"},
    "IssueCard": {"card_id": "c", "number": "1"},
    "ListStageVisits": {"model": "clm"},
    "RecordConflict": {"employee_id": "marta", "cause": "error"},
    "RecordDeparture": {"causes": ["dissatisfied"], "ended": 1},
    "RecordInteraction": {"channel": "visit", "direction": 1, "purpose": 2, "kind": "talk"},
    "RecordPurchase": {
        "purchase": {"source": "s", "id": "1"},
        "lines": [
            {
                "line_id": "1",
                "sku": "tea",
                "quantity": 1,
                "net": {"units": 1, "currency_code": "EUR"},
            }
        ],
    },
    "RecordReturn": {
        "return_key": {"source": "s", "id": "1"},
        "currency": "EUR",
        "lines": [{"quantity": 1, "sku": "tea"}],
    },
    "RecordSignal": {"signal": "recommends"},
    "RemoveIdentifier": {"kind": "phone", "text": "+79161234567"},
    "ReplaceCard": {"card_id": "c", "new_card_id": "d", "number": "2", "reason": "lost"},
    "ReplaceOwner": {"employee_id": "marta", "reason": "conflict"},
    "ResolveConflict": {"handled_well": True},
    "SetStage": {"model": "clm", "stage": "s", "reason": "r"},
    "SpendPoints": {"spend": {"source": "s", "id": "1"}, "points": 1},
    "UnblockCard": {"card_id": "c"},
    "UpdateClient": {"details": {"name": "P"}, "update_mask": {"paths": ["name"]}},
}
"""The rest of good requests that name a client or a wallet."""


@pytest.fixture(scope="module")
def issuer() -> Login:
    """One issuer for all."""
    return login()


def named(method: str, client_id: str) -> dict[str, Any]:
    """A request that names this client or the client's wallet."""
    return {ACCESS[method].target: client_id, **FIELDS.get(method, {})}


async def test_foreign_and_missing_are_answered_alike(tmp_path, issuer):
    """
    OWN-7: who may not see a client does not learn that there is one, by whatever rpc.
    """
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        before = state_of(service.folder)
        asked: Counter[tuple[str, str, str]] = Counter()
        for method, access in ACCESS.items():
            is_of_client = access.target in {"client_id", "wallet_id"}
            if access.scope is Scope.COMPANY or not is_of_client:
                continue
            who = next(n for n in ("marta", "boss") if STAFF[n][1] in access.roles)
            wire = service.wire.acting(issuer.employee(who))
            seen = [
                await wire.denied(method, **named(method, client_id))
                for client_id in ("pavel", "nobody")
            ]
            asked[f"employee/{who}", method, "NOT_FOUND"] += 2
            assert ["NOT_FOUND", "NOT_FOUND"] == [refusal.code for refusal in seen], method
            assert without("pavel", seen[0]) == without("nobody", seen[1]), method
        assert before == state_of(service.folder)
        wire = service.wire.acting(issuer.employee("marta"))
        purchases = [
            await wire.refused("GetPurchase", purchase={"source": "till", "id": id_})
            for id_ in ("of-pavel", "of-nobody")
        ]
        asked["employee/marta", "GetPurchase", "NOT_FOUND"] += 2
        assert without("of-pavel", purchases[0]) == without("of-nobody", purchases[1])
        superior = service.wire.acting(issuer.employee("ines"))
        returns = [
            await superior.refused("ListUnmatchedReturns", client_id=client_id)
            for client_id in ("petra", "nobody")
        ]
        asked["employee/ines", "ListUnmatchedReturns", "NOT_FOUND"] += 2
        assert without("petra", returns[0]) == without("nobody", returns[1])
    assert asked == await denials(tmp_path, issuer)


def without(id_: str, refusal: Refusal) -> str:
    """A refusal with the id that was asked for blotted out."""
    return re.sub(rf"\b{id_}\b", "?", repr(refusal))


async def test_a_claim_alone_tells_that_a_client_is_there(tmp_path, issuer):
    """
    OWN-2, OWN-6: who approaches somebody else's client learns the rule, and not whose it is.
    """
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        wire = service.wire.acting(issuer.employee("marta"))
        approach = {"employee_id": "marta", "channel": "visit"}

        taken = await wire.refused("Approach", client_id="pavel", **approach)
        missing = await wire.refused("Approach", client_id="nobody", **approach)
        other = await wire.refused(
            "Approach", client_id="pavel", employee_id="nora", channel="visit"
        )

        assert ("CLIENT_TAKEN", ("OWN-6",)) == (taken.reason, taken.rules)
        assert "nora" not in repr(taken)
        assert "NOT_FOUND" == missing.reason
        assert ("NOT_FOUND", {"kind": "employee", "id": "nora"}) == (other.reason, other.metadata)


async def test_lists_hold_only_whom_the_caller_may_see(tmp_path, issuer):
    """
    OWN-7: scope is inside the query: clients, staff and returns of another branch are not there.
    """
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        marta = service.wire.acting(issuer.employee("marta"))
        ines = service.wire.acting(issuer.employee("ines"))

        assert ["petra"] == ids((await marta.call("ListClients")).clients)
        assert ["petra"] == ids((await marta.call("FindClients", name="petra")).clients)
        assert [] == ids((await ines.call("FindClients", name="petra")).clients)
        assert ["pavel"] == ids((await ines.call("ListUnmatchedReturns")).returns)
        staff = await ines.call("ListEmployees")
        assert {"south"} == {employee.unit_id for employee in staff.employees}


def ids(items: Any) -> list[str]:
    """Client ids of a list."""
    return [item.client_id for item in items]


async def test_an_rpc_denied_to_a_role_is_denied_and_noted(tmp_path, issuer):
    """
    OWN-15: default deny: every rpc for every role that it does not name, before anything is looked
    at.
    """
    denied: Counter[tuple[str, str, str]] = Counter()
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        for method, access in ACCESS.items():
            for role in sorted(set(STAFF_ROLES) - access.roles):
                wire = service.wire.acting(issuer.employee(one_of(role)))
                refusal = await wire.denied(method)
                assert ("PERMISSION_DENIED", "ACCESS_DENIED") == (refusal.code, refusal.reason)
                assert {"permission": access.permission} == refusal.metadata
                denied[f"employee/{one_of(role)}", method, "ACCESS_DENIED"] += 1
    assert denied == await denials(tmp_path, issuer)


async def test_a_permission_lacking_is_denied_to_services_partners_and_clients(tmp_path, issuer):
    """
    S3: a token grants what it lists and nothing else; a client's token grants nothing here.
    """
    async with production(tmp_path, issuer) as service:
        for method, access in ACCESS.items():
            others = [name for name in PERMISSIONS if name != access.permission]
            shop = issuer.token("partner", "shop", clientela_permissions=others)
            for sent in (
                issuer.service("site", others),
                {"authorization": f"Bearer {shop}"},
                {"authorization": f"Bearer {issuer.token('client', 'petra')}"},
            ):
                refusal = await service.wire.acting(sent).denied(method)
                assert "PERMISSION_DENIED" == refusal.code, method


async def test_every_read_of_personal_values_is_on_record(tmp_path, issuer):
    """
    G30: one row for each, naming who read and whose they were; none where nothing was shown.
    """
    asked: dict[str, dict[str, Any]] = {
        "GetClient": {"client_id": "petra"},
        "ListClients": {},
        "FindClients": {"name": "petra"},
        "GetTimeline": {"client_id": "petra"},
        "ExportClient": {"client_id": "petra"},
        "ListCards": {"wallet_id": "petra"},
        "GetEmployee": {"employee_id": "marta"},
        "ListEmployees": {},
    }
    personal = {name for name, access in ACCESS.items() if access.is_personal}
    blind = issuer.service("blind", [name for name in PERMISSIONS if name != PERMISSION])
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        [number] = await take(service, message(service, "nobody", "1"))
        asked["GetParkedMessage"] = {"number": number}
        for wire in (service.wire, service.wire.acting(blind)):
            for method, fields in asked.items():
                if METHODS[method].server_streaming:
                    await wire.stream(method, **fields)
                else:
                    await wire.call(method, **fields)
        rows = [row for row in await service.audited() if row[3] == "read"]

    changing = {method for method in personal if is_mutation(method)} | {"RecordHistory"}
    assert set(asked) == personal - changing
    assert [("service/till", method) for method in asked] == [
        (actor, method.rpartition(".")[2]) for actor, method, _, _, _ in rows
    ]
    targets = {method.rpartition(".")[2]: target for _, method, target, _, _ in rows}
    assert "client/petra" == targets["GetClient"] == targets["ExportClient"]
    assert "client/pavel client/petra" == targets["ListClients"]
