import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId, Ref
from clientela.services.access import CallClass, MethodAccess, Scope
from clientela.services.calls import Call, Outcome
from clientela.services.principal import Principal
from clientela.services.request_context import RequestContext
from clientela.services.scope import Reach
from clientela.services.translate.messages import fact_ref, journal_versions
from clientela.services.translate.mutations import call, outcome
from clientela.services.translate.refusals import RequestIdRequiredError
from clientela.v1 import common_pb2, ownership_pb2
from tests.services.edge import AT
from tests.services.translate.shop import CLIENT, shop


MARTA = Actor(ActorKind.EMPLOYEE, PrincipalId("marta"))
CONTEXT = RequestContext(
    principal=Principal(actor=MARTA),
    access=MethodAccess(
        method="clientela.v1.OwnershipService.Approach",
        permission=Code("ownership.write"),
        roles=frozenset(),
        scope=Scope.SELF,
        target="employee_id",
        is_personal=True,
        call_class=CallClass.COMMAND,
    ),
    reach=Reach(),
    shows_personal=True,
    deadline=0.0,
    correlation_id="c1",
)


def test_a_call_says_how_a_command_is_carried_out():
    """
    Request id, dry run and the etag of the part concerned go to the command path.
    """
    request = ownership_pb2.ApproachRequest(
        request_id="6f2b", validate_only=True, etag="ownership-6"
    )

    expected = Call(
        actor=MARTA,
        request_id="6f2b",
        validate_only=True,
        etags={"ownership": "ownership-6"},
        correlation_id="c1",
    )
    assert expected == call(request, "ownership", CONTEXT)


def test_without_an_etag_there_is_no_condition():
    """
    An empty etag asks for nothing.
    """
    request = ownership_pb2.ApproachRequest(request_id="6f2b")

    assert {} == call(request, "ownership", CONTEXT).etags


def test_a_call_without_request_id_is_refused():
    """
    REC-8: a mutation names its attempt: REQUEST_ID_REQUIRED.
    """
    with pytest.raises(RequestIdRequiredError) as refused:
        call(ownership_pb2.ApproachRequest(), "ownership", CONTEXT)

    assert "request_id" == refused.value.details()["field"]


def test_a_request_id_is_short():
    """
    A request id has at most 128 characters.
    """
    with pytest.raises(InvalidValueError) as refused:
        call(ownership_pb2.ApproachRequest(request_id="x" * 129), "ownership", CONTEXT)

    assert "request_id" == refused.value.field


def test_an_outcome_tells_versions_events_and_etag():
    """
    REC-2: what a mutation appended can be read by the references it answers.
    """
    company = shop()
    done = Outcome(
        record=company.record(CLIENT),
        events=company.history(CLIENT)[4:6],
        versions={CLIENT: 6},
        at=AT,
        definitions=company.definitions,
        replayed=True,
    )

    expected = common_pb2.Outcome(
        versions=journal_versions({CLIENT: 6}),
        events=[fact_ref(Ref(CLIENT, 5)), fact_ref(Ref(CLIENT, 6))],
        etag="ownership-6",
        replayed=True,
    )
    assert expected == outcome(done, "ownership-6", validate_only=False)


def test_a_dry_run_has_neither_events_nor_etag():
    """
    What was only decided is not there to be read, and no condition for what follows.
    """
    company = shop()
    done = Outcome(
        record=company.record(CLIENT),
        events=company.history(CLIENT)[4:6],
        versions={CLIENT: 6},
        at=AT,
        definitions=company.definitions,
    )

    expected = common_pb2.Outcome(versions=journal_versions({CLIENT: 6}))
    assert expected == outcome(done, "ownership-6", validate_only=True)
