import json

import pytest

from clientela.domain.backtest import Difference, Kind
from clientela.domain.definitions.documents import differences, document
from clientela.domain.definitions.preset import LifecyclePreset
from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import DEFINITIONS_JOURNAL, ClientId
from clientela.services.translate import definition
from clientela.services.translate.messages import actor, journal_id, timestamp
from clientela.v1 import definition_pb2
from tests.services.translate.shop import AT, CLERK, CLIENT, shop


def test_a_version_is_told_with_its_document_and_author():
    """
    LIFE-11: a version names who applied it, when, and from when on it is in force.
    """
    company = shop()
    text = document({"purchase": {"returnable_days": 14}})
    company.run(ApplyDefinitions(document=text), CLERK)
    [applied] = company.history(DEFINITIONS_JOURNAL)

    answer = definition.definitions(applied, etag="definitions-1")

    assert (1, text, "definitions-1") == (answer.version, answer.document, answer.etag)
    assert actor(CLERK) == answer.applied_by
    assert timestamp(applied.recorded_at) == answer.applied_at == answer.effective_from
    assert "" == definition.definitions(applied, with_document=False).document


def test_changes_tell_old_and_new_as_json():
    """
    LIFE-11: what was not there has no old value, what is gone no new one; null is not nothing.
    """
    changes = differences(
        {"purchase": {"returnable_days": 14}, "ownership": {"may_request": True}},
        {"purchase": {"returnable_days": 30}, "interaction": {"leaving_causes": ["war"]}},
    )

    told = {change.path: change for change in map(definition.change, changes)}

    days = told["purchase.returnable_days"]
    assert (definition_pb2.CHANGE_KIND_CHANGED, "14", "30") == (days.kind, days.old, days.new)
    added = told["interaction"]
    assert (definition_pb2.CHANGE_KIND_ADDED, "") == (added.kind, added.old)
    assert {"leaving_causes": ["war"]} == json.loads(added.new)
    assert "" == told["ownership"].new


@pytest.mark.parametrize("preset", LifecyclePreset)
def test_presets_are_told_with_labels_in_both_languages(preset):
    """
    LIFE-4, LIFE-6: a preset comes with its text and labels in English and Russian.
    """
    told = definition.preset(preset)

    assert (preset.value, "lifecycle") == (told.name, told.section)
    assert {"en", "ru"} <= set(told.labels)
    assert f'id = "{preset.value}"' in told.toml


def test_a_difference_tells_the_event_without_boxes():
    """
    LIFE-11: a backtest shows what would differ, never a personal value or its ciphertext.
    """
    box = {"person": "client/olga", "source": "e1", "field": "note", "box": "x"}
    value = Difference(
        kind=Kind.REFUSED,
        journal=CLIENT,
        occurred_at=AT,
        name="approach-made.v1",
        payload=json.dumps({"channel": "phone", "note": box}),
        reason="CLIENT_TAKEN",
    )

    expected = definition_pb2.Difference(
        kind=definition_pb2.DIFFERENCE_KIND_REFUSED,
        journal=journal_id(CLIENT),
        occurred_at=timestamp(AT),
        name="approach-made",
        schema_version=1,
        payload=b'{"channel":"phone","note":{"sealed":true}}',
        reason="CLIENT_TAKEN",
    )
    assert expected == definition.difference(value)


def test_a_trial_is_of_a_document_or_a_version():
    """
    LIFE-11: a backtest tries a new document or one that was applied before.
    """
    by_text = definition_pb2.BacktestRequest(toml="[purchase]\n", client_ids=["olga"])
    by_number = definition_pb2.BacktestRequest(version=2, until=timestamp(AT))

    expected = definition.Trial(
        document=document({"purchase": {}}), client_ids=frozenset({ClientId("olga")})
    )
    assert expected == definition.trial(by_text)
    assert definition.Trial(version=2, until=AT) == definition.trial(by_number)


@pytest.mark.parametrize(
    "request_",
    [definition_pb2.BacktestRequest(), definition_pb2.BacktestRequest(version=0)],
    ids=["nothing", "zero"],
)
def test_a_trial_of_nothing_is_refused(request_):
    """
    LIFE-11: a backtest without definitions to try has nothing to say.
    """
    with pytest.raises(InvalidValueError) as refused:
        definition.trial(request_)

    assert "candidate" == refused.value.field


def test_what_is_no_toml_is_refused():
    """
    LIFE-11: a document that cannot be read is refused as definitions are: DEFINITIONS_INVALID.
    """
    request = definition_pb2.ApplyDefinitionsRequest(request_id="6f2b", toml="[purchase")

    with pytest.raises(DefinitionsError):
        definition.apply_definitions(request)


@pytest.mark.parametrize(("number", "expected"), [(0, None), (3, 3)])
def test_version_zero_is_the_one_in_force(number, expected):
    """
    LIFE-11: without a number the version in force now is answered.
    """
    request = definition_pb2.GetDefinitionsRequest(version=number)

    assert expected == definition.wanted_version(request)


def test_a_negative_version_is_refused():
    """
    LIFE-11: versions count from 1.
    """
    with pytest.raises(InvalidValueError) as refused:
        definition.wanted_version(definition_pb2.GetDefinitionsRequest(version=-1))

    assert "version" == refused.value.field
