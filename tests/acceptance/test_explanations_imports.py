"""
Answers about clients of both imports name facts that are on record and that they need.
"""

from __future__ import annotations

import random

from datetime import UTC, date, datetime

import attrs

from clientela.domain.ids import ClientId, Code, EmployeeId, UnitId
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.personal import Personal
from tests.acceptance.cdnow import sales
from tests.acceptance.explanations import balance, idle_facts, owner, points, refusal, stage
from tests.acceptance.library import cdnow_shop, empty_company
from tests.acceptance.online_retail import rows, slips
from tests.acceptance.online_retail_count import Count
from tests.acceptance.online_retail_shop import made, online_retail_shop
from tests.acceptance.town import spends


SEED = 20260302
CDNOW_CLIENTS = 40
RETAIL_CLIENTS = 16
MODELS = ("clm", "efremova", "ladder")


def staffed(company):
    """*company* with two sellers in two branches, one of whom approaches every client."""
    for seller, unit in (("marta", "north"), ("nora", "south")):
        company.run(RegisterUnit(unit_id=UnitId(unit), kind=UnitKind.BRANCH, label=Code(unit)))
        hired = RegisterEmployee(
            employee_id=EmployeeId(seller), unit_id=UnitId(unit), name=Personal(seller)
        )
        company.run(hired)
    return company


def approached(client, seller):
    """A seller approaches a client."""
    return Approach(
        client_id=ClientId(client), employee_id=EmployeeId(seller), channel=Code("phone")
    )


def questions(company, client):
    """Everything that is asked about a client of an import, by name."""
    there = points(client)(company).says.available
    spend = spends(there + 1, "too-much")
    return {
        **{model: stage(client, model) for model in MODELS},
        "owner": owner(client),
        "balance": balance(client),
        "points": points(client),
        "approach refused": refusal(client, approached(client, "nora")),
        "spend refused": refusal(client, attrs.evolve(spend, wallet_id=client)),
    }


def examined(company, clients, empty):
    """How many facts were named over all answers, and those that no answer needed."""
    staffed(company)
    named, idle = 0, []
    for client in clients:
        company.run(approached(client, "marta"))
    for client in clients:
        for name, question in questions(company, client).items():
            facts, needless = idle_facts(company, client, question, empty)
            named += len(facts)
            idle += [f"{name}: {each}" for each in needless]
    return named, idle


def test_answers_about_cdnow_clients_name_only_facts_they_need(data):
    """
    LIFE-12, OWN-2, LOY-10: for forty clients drawn from the CDNOW sample every named fact is on
    record and changes the answer: stage in three models, owner, balance to the point, refusals.
    """
    found = sales(data)
    clients = random.Random(SEED).sample(sorted({s.customer for s in found}), CDNOW_CLIENTS)
    shop = cdnow_shop([s for s in found if s.customer in clients], date(1998, 6, 30))
    empty = empty_company()

    named, idle = examined(shop, clients, lambda: empty(shop.definitions))

    assert [] == idle
    assert 6 * CDNOW_CLIENTS < named


def test_answers_about_online_retail_clients_name_only_facts_they_need(data):
    """
    LIFE-12, OWN-2, LOY-10, DEV-5: the same for clients of the Online Retail slice, who bring goods
    back and pay with points; one of them never bought anything.
    """
    own = slips(rows(data))
    bought = {slip.customer for slip in own if not slip.is_return}
    only_back = sorted({slip.customer for slip in own} - bought)[:1]
    clients = [*random.Random(SEED).sample(sorted(bought), RETAIL_CLIENTS), *only_back]
    own = [slip for slip in own if slip.customer in clients]
    count = Count(months=3)
    for slip in own:
        count.take_in(slip, slip.at)
    arrivals = [(slip, slip.at) for slip in own]
    shop = online_retail_shop(arrivals, count.spent, datetime(2010, 12, 31, tzinfo=UTC))
    empty = made()

    named, idle = examined(shop, clients, lambda: empty(shop.definitions))

    assert [] == idle
    assert 10 * RETAIL_CLIENTS < named
