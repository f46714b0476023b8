from datetime import timedelta

import pytest

from google.protobuf.field_mask_pb2 import FieldMask

from clientela.domain.errors import InvalidValueError
from clientela.domain.identity import details as domain
from clientela.domain.identity.profile import EraseClient, Profile
from clientela.domain.ids import Code, Ref
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.ownership.holding import Ownership
from clientela.services.translate import client
from clientela.services.translate.messages import fact_ref, journal_versions, timestamp
from clientela.v1 import client_pb2, common_pb2
from tests.services.translate.samples import SOURCE_IDS
from tests.services.translate.shop import AT, CLIENT, OLGA, hidden, shop, shown


def olga(company, opening, **more) -> client_pb2.Client:
    """Olga as she is now."""
    profile = company.record(CLIENT).of(Profile)
    return client.client(profile, opening, versions={CLIENT: 14}, **more)


def test_a_client_is_shown_whole():
    """
    REC-1: name, identifiers, source ids, begin and etag go out under the names of the proto.
    """
    company = shop()

    expected = client_pb2.Client(
        client_id="olga",
        kind=client_pb2.CLIENT_KIND_PERSON,
        standing=client_pb2.STANDING_CLIENT,
        details=client_pb2.Details(name="Olga Petrova", language="ru"),
        identifiers=[
            client_pb2.Identifier(
                kind="phone", text="+49 30 1234567", added=fact_ref(Ref(CLIENT, 4))
            )
        ],
        sources=[common_pb2.BusinessKey(source="old-crm", id="77")],
        registered_at=timestamp(AT),
        etag="identity-4",
        versions=journal_versions({CLIENT: 14}),
    )
    assert expected == olga(company, shown(company), etag="identity-4")


def test_personal_values_are_withheld_from_who_may_not_see_them():
    """
    Names and identifiers come empty, and the answer says so.
    """
    company = shop()

    answer = olga(company, hidden(company))

    assert "" == answer.details.name
    assert "" == answer.identifiers[0].text
    assert "ru" == answer.details.language
    assert answer.personal_withheld


def test_nothing_is_withheld_after_erasure():
    """
    An erased client has no personal values left, so none is withheld; source ids stay.
    """
    company = shop()
    later = AT + timedelta(days=3)
    company.run(EraseClient(client_id=OLGA, act=Code("2026-17"), occurred_at=later))

    answer = olga(company, hidden(company))

    assert not answer.HasField("details")
    assert [] == list(answer.identifiers)
    assert not answer.personal_withheld
    assert timestamp(later) == answer.erased_at
    assert 1 == len(answer.sources)


def test_a_summary_tells_owner_and_stages():
    """
    REC-9: whoever opens the list sees who looks after a client and where it stands.
    """
    company = shop()
    record = company.record(CLIENT)

    answer = client.summary(
        record.of(Profile), record.of(Ownership), record.of(Lifecycle), shown(company)
    )

    bought = timestamp(AT + timedelta(days=1))
    expected = client_pb2.ClientSummary(
        client_id="olga",
        kind=client_pb2.CLIENT_KIND_PERSON,
        standing=client_pb2.STANDING_CLIENT,
        name="Olga Petrova",
        owner_id="marta",
        stages=[
            client_pb2.StageMark(model="clm", stage="purchase", since=bought),
            client_pb2.StageMark(model="efremova", stage="buyer", since=bought),
        ],
    )
    assert expected == answer


@pytest.mark.parametrize(
    "paths", [[], ["name", "name"], ["nmae"], ["*", "name"]], ids=["none", "twice", "typo", "both"]
)
def test_a_mask_names_fields_of_details_each_once(paths):
    """
    AIP-161: a mask that names nothing, the same twice or something else is refused.
    """
    request = client_pb2.UpdateClientRequest(
        request_id="6f2b", client_id="olga", update_mask=FieldMask(paths=paths)
    )

    with pytest.raises(InvalidValueError) as refused:
        client.update_client(request)

    assert "update_mask" == refused.value.field


def test_a_star_names_every_field():
    """
    AIP-161: `*` takes all details, and clears those that are empty.
    """
    request = client_pb2.UpdateClientRequest(
        request_id="6f2b", client_id="olga", update_mask=FieldMask(paths=["*"])
    )

    assert domain.FIELDS == client.update_client(request).fields


def test_a_client_is_a_person_and_a_client_unless_it_says_otherwise():
    """
    REC-7: kind and standing may be left unspecified.
    """
    request = client_pb2.RegisterClientRequest(request_id="6f2b", client_id="olga")

    command = client.register_client(request, SOURCE_IDS)

    assert (domain.ClientKind.PERSON, domain.Standing.CLIENT) == (command.kind, command.standing)


def test_a_client_may_be_named_by_its_source_alone():
    """
    REC-8: what another system sends needs no id of ours: it is made from the source, always alike.
    """
    request = client_pb2.RegisterClientRequest(
        request_id="6f2b", source=common_pb2.BusinessKey(source="old-crm", id="77")
    )

    assert "old-crm-77" == client.register_client(request, SOURCE_IDS).client_id


def test_a_client_is_named_by_id_or_source():
    """
    REC-1: a registration that names nobody is refused.
    """
    request = client_pb2.RegisterClientRequest(request_id="6f2b")

    with pytest.raises(InvalidValueError) as refused:
        client.register_client(request, SOURCE_IDS)

    assert "client_id" == refused.value.field
