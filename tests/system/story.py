"""
A quarter of a year of a small shop, rpc by rpc: every rpc of every service has its part in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from clientela.v1 import client_pb2, interaction_pb2, organisation_pb2, purchase_pb2


TOWN = (Path(__file__).parent / "town.toml").read_text()
"""The definitions of the shop."""

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""The first day."""

ONE_DAY = timedelta(days=1)

PETRA_NAME = "Petra Petrova"
PETRA_PHONE = "+79161234567"
PETRA_MAIL = "petra@example.org"
LENA_CARD = "2200 0000 0017"


@attrs.frozen
class Step:
    """
    One call.

    Attributes:
        method: Name of the rpc.

        fields: Of its request.
    """

    method: str
    fields: Mapping[str, Any]


def step(method: str, **fields: Any) -> Step:
    """One call."""
    return Step(method, fields)


def euros(units: int) -> dict[str, Any]:
    """An amount."""
    return {"units": units, "currency_code": "EUR"}


def receipt(number: str) -> dict[str, str]:
    """A business identity of the till."""
    return {"source": "till", "id": number}


def bought(client_id: str, number: str, units: int, quantity: int = 1) -> Step:
    """A purchase of one line."""
    line = {"line_id": "1", "sku": "tea", "quantity": quantity, "net": euros(units)}
    return step(
        "RecordPurchase",
        client_id=client_id,
        purchase=receipt(number),
        lines=[line],
        tenders=[{"kind": purchase_pb2.TENDER_KIND_MONEY, "amount": euros(units)}],
        unit_id="north",
    )


def brought_back(client_id: str, number: str, **line: Any) -> Step:
    """A return of one piece."""
    return step(
        "RecordReturn",
        client_id=client_id,
        return_key=receipt(number),
        currency="EUR",
        lines=[{"quantity": 1, **line}],
    )


def moved_to(moment: datetime) -> Step:
    """Time goes on."""
    return step("AdvanceClock", to=moment)


ORGANISATION = (
    moved_to(AT),
    step("ApplyDefinitions", toml=TOWN),
    step("RegisterUnit", unit_id="head", kind=organisation_pb2.UNIT_KIND_DEPARTMENT, label="Head"),
    *(
        step(
            "RegisterUnit",
            unit_id=unit_id,
            kind=organisation_pb2.UNIT_KIND_BRANCH,
            label=unit_id,
            parent_id="head",
        )
        for unit_id in ("north", "south", "yard")
    ),
    step("MoveUnit", unit_id="yard", parent_id="north"),
    *(
        step(
            "RegisterEmployee",
            employee_id=employee_id,
            unit_id=unit_id,
            name=f"{employee_id.title()} Novak",
            roles=[role],
        )
        for employee_id, unit_id, role in (
            ("boss", "north", "director"),
            ("ivo", "north", "salesperson"),
            ("marta", "yard", "salesperson"),
            ("nora", "south", "salesperson"),
            ("olaf", "head", "database-operator"),
        )
    ),
    step("MoveEmployee", employee_id="marta", unit_id="north"),
    step("GrantRole", employee_id="ivo", role="accountant"),
    step("RevokeRole", employee_id="ivo", role="accountant"),
)
"""Units and staff."""

CLIENTS = (
    step(
        "RegisterClient",
        client_id="petra",
        kind=client_pb2.CLIENT_KIND_PERSON,
        standing=client_pb2.STANDING_PROSPECT,
        details={"name": PETRA_NAME, "market": "consumer", "language": "ru"},
        identifiers=[{"kind": "phone", "text": PETRA_PHONE}],
        source={"source": "crm", "id": "p-1"},
    ),
    step("RegisterClient", client_id="pavel", details={"name": "Pavel Pavlov"}),
    step("RegisterClient", client_id="lena"),
    step(
        "UpdateClient",
        client_id="petra",
        details={"given_name": "Petra"},
        update_mask={"paths": ["given_name"]},
    ),
    step("AddIdentifier", client_id="petra", identifier={"kind": "email", "text": PETRA_MAIL}),
    step("AddIdentifier", client_id="petra", identifier={"kind": "tax-id", "text": "7707083893"}),
    step("RemoveIdentifier", client_id="petra", kind="tax-id", text="7707083893"),
    step("Approach", client_id="petra", employee_id="marta", channel="phone", note="Likes tea."),
    step("Approach", client_id="pavel", employee_id="nora", channel="visit"),
    step("Approach", client_id="lena", employee_id="nora", channel="visit", with_offer=False),
    step(
        "RecordInteraction",
        client_id="petra",
        channel="phone",
        direction=interaction_pb2.DIRECTION_INBOUND,
        purpose=interaction_pb2.PURPOSE_ENQUIRY,
        kind="call",
        employee_id="marta",
        note="Asked for green tea.",
        interaction={"source": "pbx", "id": "call-1"},
    ),
    step(
        "RecordConflict",
        client_id="petra",
        employee_id="marta",
        cause="error",
        note="Wrong tea.",
    ),
    step("ResolveConflict", client_id="petra", handled_well=True),
    step("RecordSignal", client_id="petra", signal="recommends"),
)
"""Clients and what passed with them."""

TRADE = (
    moved_to(AT + ONE_DAY),
    bought("petra", "1", 120, quantity=3),
    bought("petra", "2", 30),
    bought("pavel", "3", 50),
    brought_back("petra", "r-1", purchase=receipt("1"), line_id="1"),
    brought_back("petra", "r-2", sku="mug", refund=euros(5)),
    brought_back("petra", "r-3", sku="jar", refund=euros(4)),
    brought_back("pavel", "r-4", sku="mug", refund=euros(5)),
)
"""Purchases and returns."""

POINTS = (
    step("OpenWallet", client_id="lena"),
    *(
        step("IssueCard", wallet_id="lena", card_id=f"card-{n}", number=f"{LENA_CARD}{n}")
        for n in (1, 2)
    ),
    step("BlockCard", wallet_id="lena", card_id="card-1", reason="lost"),
    step("UnblockCard", wallet_id="lena", card_id="card-1"),
    step(
        "ReplaceCard",
        wallet_id="lena",
        card_id="card-1",
        new_card_id="card-3",
        number=f"{LENA_CARD}3",
        reason="damaged",
    ),
    step(
        "AdjustPoints",
        wallet_id="lena",
        adjustment={"source": "office", "id": "a-1"},
        points=25,
        reason="goodwill",
    ),
    step("SpendPoints", wallet_id="petra", spend=receipt("s-1"), points=40),
)
"""Wallets, cards and points."""

STAGES = (
    step("SetStage", client_id="lena", model="care", stage="good", reason="promised"),
    step(
        "RecordDeparture",
        client_id="pavel",
        causes=["dissatisfied"],
        ended=interaction_pb2.END_KIND_BY_CLIENT,
    ),
    moved_to(AT + 40 * ONE_DAY),
    step("Approach", client_id="petra", employee_id="marta", channel="phone"),
    step("ReplaceOwner", client_id="petra", employee_id="ivo", reason="moved-away"),
)
"""Where clients stand, and a month passes."""

LEAVING = (
    step("Approach", client_id="lena", employee_id="nora", channel="visit"),
    step("RecordLeaving", employee_id="nora", left_at=AT + 40 * ONE_DAY),
)
"""Nora leaves: her clients wait for somebody."""

END = (step("EraseClient", client_id="petra", act="act-1"),)
"""Petra asks to be forgotten."""


def told() -> Iterator[Step]:
    """The whole story but for its end, in order."""
    for chapter in (ORGANISATION, CLIENTS, TRADE, POINTS, STAGES, LEAVING):
        yield from chapter
