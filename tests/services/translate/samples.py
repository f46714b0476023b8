"""
For every mutation a request that says everything, and the command it stands for.
"""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney

from clientela.domain.definitions.documents import document
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.facts import (
    BusinessKey,
    Direction,
    EndKind,
    Line,
    Purpose,
    Tender,
    TenderKind,
)
from clientela.domain.identity.details import ClientKind, Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import AddIdentifier, NewIdentifier, RemoveIdentifier
from clientela.domain.identity.profile import EraseClient
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import BusinessId, ClientId, Code, EmployeeId, UnitId, WalletId
from clientela.domain.interaction.recording import (
    RecordConflict,
    RecordDeparture,
    RecordInteraction,
    RecordSignal,
    ResolveConflict,
)
from clientela.domain.lifecycle.stages import SetStage
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card_rules import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.cards import CardId
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.roles import GrantRole, RevokeRole
from clientela.domain.organisation.staff import MoveEmployee, RecordLeaving
from clientela.domain.organisation.units import MoveUnit, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach, ReplaceOwner
from clientela.domain.personal import Personal
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.services.translate import (
    client,
    definition,
    interaction,
    lifecycle,
    loyalty,
    organisation,
    ownership,
    purchase,
)
from clientela.v1 import (
    client_pb2,
    common_pb2,
    definition_pb2,
    interaction_pb2,
    lifecycle_pb2,
    loyalty_pb2,
    organisation_pb2,
    ownership_pb2,
    purchase_pb2,
)


AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OLGA = ClientId("olga")
WALLET = WalletId("olga")
MARTA = EmployeeId("marta")
IVO = EmployeeId("ivo")
NORTH = UnitId("north")
RECEIPT = BusinessKey(Code("till-7"), BusinessId("r-100"))
RETURN = BusinessKey(Code("till-7"), BusinessId("b-1"))
TEA = Line(
    line_id=Code("1"),
    sku=Code("tea"),
    quantity=2,
    net=Money(1250, "EUR"),
    tax=Money(81, "EUR"),
    category=Code("drinks"),
)


class Sample(NamedTuple):
    """A request, what reads it, and the command it stands for."""

    read: Any
    request: Any
    command: Any


def moment(at: datetime = AT) -> Timestamp:
    """The moment on the wire."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def key(identity: BusinessKey) -> common_pb2.BusinessKey:
    """The identity on the wire."""
    return common_pb2.BusinessKey(source=identity.source, id=identity.id)


def common(**more: Any) -> dict[str, Any]:
    """What every mutation takes, and *more*."""
    return {"request_id": "6f2b", "occurred_at": moment(), **more}


EURO_12_50 = WireMoney(currency_code="EUR", units=12, nanos=500_000_000)
EURO_0_81 = WireMoney(currency_code="EUR", nanos=810_000_000)
MARCH_SECOND = Date(year=2026, month=3, day=2)
FOR_OLGA = common(client_id=OLGA)
FOR_WALLET = common(wallet_id=WALLET)
FOR_MARTA = common(employee_id=MARTA)

SAMPLES = {
    "RegisterClient": Sample(
        client.register_client,
        client_pb2.RegisterClientRequest(
            **FOR_OLGA,
            kind=client_pb2.CLIENT_KIND_ORGANISATION,
            standing=client_pb2.STANDING_PROSPECT,
            details=client_pb2.Details(name="Olga's Teas", market="reseller", language="ru"),
            identifiers=[
                client_pb2.NewIdentifier(kind="phone", text="+49 30 1234567", shared=True)
            ],
            source=key(RECEIPT),
            references=[key(RETURN)],
        ),
        RegisterClient(
            client_id=OLGA,
            kind=ClientKind.ORGANISATION,
            standing=Standing.PROSPECT,
            details=Details(
                name=Personal("Olga's Teas"), market=Code("reseller"), language=Code("ru")
            ),
            identifiers=(
                NewIdentifier(kind=Code("phone"), text=Personal("+49 30 1234567"), shared=True),
            ),
            source=RECEIPT,
            references=(RETURN,),
            occurred_at=AT,
        ),
    ),
    "UpdateClient": Sample(
        client.update_client,
        client_pb2.UpdateClientRequest(
            **FOR_OLGA,
            details=client_pb2.Details(given_name="Olga"),
            update_mask=FieldMask(paths=["given_name", "market"]),
        ),
        UpdateClient(
            client_id=OLGA,
            details=Details(given_name=Personal("Olga")),
            fields=(Code("given_name"), Code("market")),
            occurred_at=AT,
        ),
    ),
    "AddIdentifier": Sample(
        client.add_identifier,
        client_pb2.AddIdentifierRequest(
            **FOR_OLGA, identifier=client_pb2.NewIdentifier(kind="email", text="o@example.org")
        ),
        AddIdentifier(
            client_id=OLGA,
            identifier=NewIdentifier(kind=Code("email"), text=Personal("o@example.org")),
            occurred_at=AT,
        ),
    ),
    "RemoveIdentifier": Sample(
        client.remove_identifier,
        client_pb2.RemoveIdentifierRequest(**FOR_OLGA, kind="email", text="o@example.org"),
        RemoveIdentifier(
            client_id=OLGA, kind=Code("email"), text=Personal("o@example.org"), occurred_at=AT
        ),
    ),
    "EraseClient": Sample(
        client.erase_client,
        client_pb2.EraseClientRequest(**FOR_OLGA, act="2026-17"),
        EraseClient(client_id=OLGA, act=Code("2026-17"), occurred_at=AT),
    ),
    "Approach": Sample(
        ownership.approach,
        ownership_pb2.ApproachRequest(
            **FOR_OLGA,
            employee_id=MARTA,
            channel="phone",
            with_offer=False,
            offer="spring",
            note="call back",
        ),
        Approach(
            client_id=OLGA,
            employee_id=MARTA,
            channel=Code("phone"),
            with_offer=False,
            offer=Code("spring"),
            note=Personal("call back"),
            occurred_at=AT,
        ),
    ),
    "ReplaceOwner": Sample(
        ownership.replace_owner,
        ownership_pb2.ReplaceOwnerRequest(**FOR_OLGA, employee_id=IVO, reason="conflict"),
        ReplaceOwner(client_id=OLGA, employee_id=IVO, reason=Code("conflict"), occurred_at=AT),
    ),
    "RecordInteraction": Sample(
        interaction.record_interaction,
        interaction_pb2.RecordInteractionRequest(
            **FOR_OLGA,
            channel="phone",
            direction=interaction_pb2.DIRECTION_INBOUND,
            purpose=interaction_pb2.PURPOSE_ENQUIRY,
            kind="call",
            employee_id=MARTA,
            note="asked for tea",
            interaction=key(RECEIPT),
        ),
        RecordInteraction(
            client_id=OLGA,
            channel=Code("phone"),
            direction=Direction.INBOUND,
            purpose=Purpose.ENQUIRY,
            kind=Code("call"),
            employee_id=MARTA,
            note=Personal("asked for tea"),
            interaction=RECEIPT,
            occurred_at=AT,
        ),
    ),
    "RecordConflict": Sample(
        interaction.record_conflict,
        interaction_pb2.RecordConflictRequest(
            **FOR_OLGA, employee_id=MARTA, cause="error", note="wrong tea"
        ),
        RecordConflict(
            client_id=OLGA,
            employee_id=MARTA,
            cause=Code("error"),
            note=Personal("wrong tea"),
            occurred_at=AT,
        ),
    ),
    "ResolveConflict": Sample(
        interaction.resolve_conflict,
        interaction_pb2.ResolveConflictRequest(**FOR_OLGA, handled_well=False),
        ResolveConflict(client_id=OLGA, handled_well=False, occurred_at=AT),
    ),
    "RecordDeparture": Sample(
        interaction.record_departure,
        interaction_pb2.RecordDepartureRequest(
            **FOR_OLGA,
            causes=["moved-away", "other"],
            ended=interaction_pb2.END_KIND_BILATERAL,
        ),
        RecordDeparture(
            client_id=OLGA,
            causes=(Code("moved-away"), Code("other")),
            ended=EndKind.BILATERAL,
            occurred_at=AT,
        ),
    ),
    "RecordSignal": Sample(
        interaction.record_signal,
        interaction_pb2.RecordSignalRequest(**FOR_OLGA, signal="subscribed", holds=False),
        RecordSignal(client_id=OLGA, signal=Code("subscribed"), holds=False, occurred_at=AT),
    ),
    "RecordPurchase": Sample(
        purchase.record_purchase,
        purchase_pb2.RecordPurchaseRequest(
            **FOR_OLGA,
            purchase=key(RECEIPT),
            lines=[
                purchase_pb2.Line(
                    line_id="1",
                    sku="tea",
                    quantity=2,
                    net=EURO_12_50,
                    tax=EURO_0_81,
                    category="drinks",
                )
            ],
            tenders=[
                purchase_pb2.Tender(
                    kind=purchase_pb2.TENDER_KIND_POINTS, amount=EURO_12_50, points=1250
                )
            ],
            local_date=MARCH_SECOND,
            wallet_id="family",
            unit_id=NORTH,
            seller_id=MARTA,
        ),
        RecordPurchase(
            client_id=OLGA,
            purchase=RECEIPT,
            lines=(TEA,),
            tenders=(Tender(kind=TenderKind.POINTS, amount=Money(1250, "EUR"), points=1250),),
            local_date=date(2026, 3, 2),
            wallet_id=WalletId("family"),
            unit_id=NORTH,
            seller_id=MARTA,
            occurred_at=AT,
        ),
    ),
    "RecordReturn": Sample(
        purchase.record_return,
        purchase_pb2.RecordReturnRequest(
            **FOR_OLGA,
            return_key=key(RETURN),
            currency="EUR",
            lines=[
                purchase_pb2.RecordReturnRequest.Line(
                    quantity=1,
                    refund=EURO_0_81,
                    sku="tea",
                    purchase=key(RECEIPT),
                    line_id="1",
                )
            ],
            local_date=MARCH_SECOND,
            wallet_id="family",
            unit_id=NORTH,
        ),
        RecordReturn(
            client_id=OLGA,
            return_key=RETURN,
            currency="EUR",
            lines=(
                Wanted(
                    quantity=1,
                    refund=Money(81, "EUR"),
                    sku=Code("tea"),
                    purchase=RECEIPT,
                    line_id=Code("1"),
                ),
            ),
            local_date=date(2026, 3, 2),
            wallet_id=WalletId("family"),
            unit_id=NORTH,
            occurred_at=AT,
        ),
    ),
    "SetStage": Sample(
        lifecycle.set_stage,
        lifecycle_pb2.SetStageRequest(
            **FOR_OLGA, model="efremova", stage="regular", reason="renewed"
        ),
        SetStage(
            client_id=OLGA,
            model=Code("efremova"),
            stage=Code("regular"),
            reason=Code("renewed"),
            occurred_at=AT,
        ),
    ),
    "OpenWallet": Sample(
        loyalty.open_wallet,
        loyalty_pb2.OpenWalletRequest(**FOR_OLGA),
        OpenWallet(client_id=OLGA, occurred_at=AT),
    ),
    "IssueCard": Sample(
        loyalty.issue_card,
        loyalty_pb2.IssueCardRequest(**FOR_WALLET, card_id="first", number="4711"),
        IssueCard(
            wallet_id=WALLET, card_id=CardId("first"), number=Personal("4711"), occurred_at=AT
        ),
    ),
    "BlockCard": Sample(
        loyalty.block_card,
        loyalty_pb2.BlockCardRequest(**FOR_WALLET, card_id="first", reason="lost"),
        BlockCard(wallet_id=WALLET, card_id=CardId("first"), reason=Code("lost"), occurred_at=AT),
    ),
    "UnblockCard": Sample(
        loyalty.unblock_card,
        loyalty_pb2.UnblockCardRequest(**FOR_WALLET, card_id="first"),
        UnblockCard(wallet_id=WALLET, card_id=CardId("first"), occurred_at=AT),
    ),
    "ReplaceCard": Sample(
        loyalty.replace_card,
        loyalty_pb2.ReplaceCardRequest(
            **FOR_WALLET, card_id="first", new_card_id="second", number="4712", reason="lost"
        ),
        ReplaceCard(
            wallet_id=WALLET,
            card_id=CardId("first"),
            new_card_id=CardId("second"),
            number=Personal("4712"),
            reason=Code("lost"),
            occurred_at=AT,
        ),
    ),
    "SpendPoints": Sample(
        loyalty.spend_points,
        loyalty_pb2.SpendPointsRequest(
            **FOR_WALLET,
            spend=key(RETURN),
            points=300,
            purchase=key(RECEIPT),
            card_id="first",
        ),
        SpendPoints(
            wallet_id=WALLET,
            spend=RETURN,
            points=300,
            purchase=RECEIPT,
            card_id=CardId("first"),
            occurred_at=AT,
        ),
    ),
    "AdjustPoints": Sample(
        loyalty.adjust_points,
        loyalty_pb2.AdjustPointsRequest(
            **FOR_WALLET,
            adjustment=key(RETURN),
            points=-40,
            reason="goodwill",
            expires_on=MARCH_SECOND,
            priority=-3,
        ),
        AdjustPoints(
            wallet_id=WALLET,
            adjustment=RETURN,
            points=-40,
            reason=Code("goodwill"),
            expires_on=date(2026, 3, 2),
            priority=-3,
            occurred_at=AT,
        ),
    ),
    "RegisterUnit": Sample(
        organisation.register_unit,
        organisation_pb2.RegisterUnitRequest(
            **common(unit_id=NORTH),
            kind=organisation_pb2.UNIT_KIND_DEPARTMENT,
            label="north",
            parent_id="whole",
        ),
        RegisterUnit(
            unit_id=NORTH,
            kind=UnitKind.DEPARTMENT,
            label=Code("north"),
            parent_id=UnitId("whole"),
            occurred_at=AT,
        ),
    ),
    "MoveUnit": Sample(
        organisation.move_unit,
        organisation_pb2.MoveUnitRequest(**common(unit_id=NORTH), parent_id="whole"),
        MoveUnit(unit_id=NORTH, parent_id=UnitId("whole"), occurred_at=AT),
    ),
    "RegisterEmployee": Sample(
        organisation.register_employee,
        organisation_pb2.RegisterEmployeeRequest(
            **FOR_MARTA, unit_id=NORTH, name="Marta", roles=["salesperson"], superior_id=IVO
        ),
        RegisterEmployee(
            employee_id=MARTA,
            unit_id=NORTH,
            name=Personal("Marta"),
            roles=(Code("salesperson"),),
            superior_id=IVO,
            occurred_at=AT,
        ),
    ),
    "MoveEmployee": Sample(
        organisation.move_employee,
        organisation_pb2.MoveEmployeeRequest(**FOR_MARTA, unit_id=NORTH),
        MoveEmployee(employee_id=MARTA, unit_id=NORTH, occurred_at=AT),
    ),
    "GrantRole": Sample(
        organisation.grant_role,
        organisation_pb2.GrantRoleRequest(**FOR_MARTA, role="director"),
        GrantRole(employee_id=MARTA, role=Code("director"), occurred_at=AT),
    ),
    "RevokeRole": Sample(
        organisation.revoke_role,
        organisation_pb2.RevokeRoleRequest(**FOR_MARTA, role="director"),
        RevokeRole(employee_id=MARTA, role=Code("director"), occurred_at=AT),
    ),
    "RecordLeaving": Sample(
        organisation.record_leaving,
        organisation_pb2.RecordLeavingRequest(
            request_id="6f2b", employee_id=MARTA, left_at=moment()
        ),
        RecordLeaving(employee_id=MARTA, left_at=AT),
    ),
    "ApplyDefinitions": Sample(
        definition.apply_definitions,
        definition_pb2.ApplyDefinitionsRequest(
            **common(effective_from=moment()), toml="[purchase]\nreturnable_days = 14\n"
        ),
        ApplyDefinitions(
            document=document({"purchase": {"returnable_days": 14}}),
            effective_from=AT,
            occurred_at=AT,
        ),
    ),
}
