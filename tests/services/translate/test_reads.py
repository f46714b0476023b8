from datetime import UTC, datetime, timedelta

import pytest

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import ClientId, WalletId, client_journal, wallet_journal
from clientela.services.translate.messages import journal_id
from clientela.services.translate.reads import AsOf, Consistency, as_of, consistency
from clientela.services.translate.refusals import VersionAheadError
from clientela.v1 import common_pb2, lifecycle_pb2


OLGA = client_journal(ClientId("olga"))
WALLET = wallet_journal(WalletId("olga"))
SECOND = common_pb2.JournalVersion(journal=journal_id(OLGA), version=2)
THIRD = common_pb2.JournalVersion(journal=journal_id(WALLET), version=3)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def request(**more) -> lifecycle_pb2.GetStageRequest:
    """A read that takes a moment and a consistency."""
    return lifecycle_pb2.GetStageRequest(client_id="olga", model="clm", **more)


def test_a_read_speaks_of_now_unless_it_says_otherwise():
    """
    REC-3: without a moment a read speaks of the present.
    """
    assert as_of(request(), by_effect=True).is_now


def test_known_at_names_versions():
    """
    REC-3: what was known is a prefix of versions.
    """
    known = common_pb2.AsOf(known_at=common_pb2.Versions(versions=[SECOND, THIRD]))

    expected = AsOf(known_at={OLGA: 2, WALLET: 3})
    assert expected == as_of(request(as_of=known), by_effect=False)


def test_effective_at_is_for_what_is_ordered_by_when_it_happened():
    """
    REC-3: only what is ordered by when things happened can tell what was the case.
    """
    stamp = Timestamp()
    stamp.FromDatetime(NEW_YEAR)
    asked = request(as_of=common_pb2.AsOf(effective_at=stamp))

    assert AsOf(effective_at=NEW_YEAR) == as_of(asked, by_effect=True)
    with pytest.raises(InvalidValueError) as refused:
        as_of(asked, by_effect=False)
    assert "as_of" == refused.value.field


def test_a_consistency_names_versions_and_an_age():
    """
    A read can ask for at least certain versions and be content with a certain age.
    """
    asked = common_pb2.Consistency(at_least=[SECOND], max_staleness=Duration(seconds=5))

    expected = Consistency(at_least={OLGA: 2}, max_staleness=timedelta(seconds=5))
    assert expected == consistency(request(consistency=asked))


def test_without_a_consistency_an_answer_is_fresh():
    """
    By default everything committed before the call is in the answer.
    """
    assert Consistency() == consistency(request())


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (common_pb2.Consistency(max_staleness=Duration(seconds=61)), "consistency.max_staleness"),
        (common_pb2.Consistency(max_staleness=Duration(seconds=-1)), "consistency.max_staleness"),
        (common_pb2.Consistency(at_least=[SECOND, SECOND]), "consistency.at_least[1].journal"),
        (
            common_pb2.Consistency(at_least=[common_pb2.JournalVersion(version=1)]),
            "consistency.at_least[0].journal.kind",
        ),
    ],
    ids=["too-old", "negative", "twice", "nameless"],
)
def test_a_malformed_consistency_is_named_by_its_path(asked, field):
    """
    Ages over a minute, journals named twice or not at all are refused by path.
    """
    with pytest.raises(InvalidValueError) as refused:
        consistency(request(consistency=asked))

    assert field == refused.value.field


def test_a_version_that_is_not_there_yet_is_told():
    """
    A read that needs a version which is not known here fails and may be tried again: VERSION_AHEAD.
    """
    asked = Consistency(at_least={OLGA: 2})

    asked.check_reached({OLGA: 2})
    with pytest.raises(VersionAheadError) as refused:
        asked.check_reached({OLGA: 1})
    assert {"journal": "client/olga", "version": "2"} == refused.value.details()
