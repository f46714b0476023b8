"""
Samples of what is done with clients: identity, ownership, interactions.
"""

from google.protobuf.field_mask_pb2 import FieldMask

from clientela.domain.facts import (
    Direction,
    EndKind,
    Purpose,
)
from clientela.domain.identity.details import ClientKind, Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import AddIdentifier, NewIdentifier, RemoveIdentifier
from clientela.domain.identity.profile import EraseClient
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import Code
from clientela.domain.interaction.conflict import RecordConflict, ResolveConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.personal import Personal
from clientela.services.translate import (
    client,
    interaction,
    ownership,
)
from clientela.v1 import (
    client_pb2,
    interaction_pb2,
    ownership_pb2,
)
from tests.services.translate.samples import (
    AT,
    FOR_OLGA,
    IVO,
    MARTA,
    OLGA,
    RECEIPT,
    RETURN,
    SOURCE_IDS,
    Sample,
    key,
)


CLIENT_SAMPLES = {
    "RegisterClient": Sample(
        lambda request: client.register_client(request, SOURCE_IDS),
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
}
