"""
What a company says about a client and on which facts, and whether each fact is needed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from clientela.domain.backtest import without
from clientela.domain.company import Company
from clientela.domain.errors import RefusedError, UnknownError
from clientela.domain.event import Origin, RecordedEvent
from clientela.domain.ids import (
    ClientId,
    Code,
    JournalKind,
    Ref,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.lifecycle import explanation as lifecycle
from clientela.domain.loyalty import balance as loyalty
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.ownership import explanation as ownership
from clientela.domain.ruleset import Command


@attrs.frozen
class Answer:
    """
    An answer and its grounds.

    Attributes:
        says: What it says, without any reference to an event.

        names: The events it names.
    """

    says: Any
    names: tuple[Ref, ...] = ()


Question = Callable[[Company], Answer]


def stage(client: str, model: str) -> Question:
    """Where does the client stand, since when, and which exits are open?"""

    def ask(company: Company) -> Answer:
        record = company.record(client_journal(ClientId(client)))
        try:
            told = lifecycle.explain(record, Code(model), company.definitions, company.now)
        except UnknownError:
            return Answer(None)
        verdicts = tuple((way.to, way.verdict.holds) for way in told.ways)
        says = (told.stage, told.since, told.means, told.rule, told.cycle, told.causes, verdicts)
        named = (fact for way in told.ways for fact in way.verdict.facts)
        return Answer(says, (*told.facts, *named))

    return ask


def owner(client: str) -> Question:
    """Who looks after the client, since when, after whom, and until when?"""

    def ask(company: Company) -> Answer:
        journal = client_journal(ClientId(client))
        record, events = company.record(journal), company.history(journal)
        told = ownership.explain(record, events, company.definitions)
        spells = tuple(
            spell and (spell.owner_id, spell.unit_id, spell.began_at, spell.ended_at, spell.reason)
            for spell in (told.spell, told.previous)
        )
        return Answer((*spells, told.is_orphaned, told.until, told.rule), told.facts)

    return ask


def balance(client: str) -> Question:
    """How many points are there and owed, in which lots, and what moved them?"""

    def ask(company: Company) -> Answer:
        journal = wallet_journal(WalletId(client))
        events = company.history(journal)
        names = {recorded.ref: recorded.type.name for recorded in events}
        wallet = company.record(journal).of(Wallet)
        told = loyalty.explain(wallet, events, company.now)
        lots = tuple(
            (story.lot.lot_id, story.lot.expires_at, _moved(story.movements, names))
            for story in told.lots
        )
        return Answer((told.balance, lots, _moved(told.debt, names)), told.because)

    return ask


def points(client: str) -> Question:
    """How many points are there and owed? Nothing but the numbers."""

    def ask(company: Company) -> Answer:
        told = balance(client)(company)
        return Answer(told.says[0], told.names)

    return ask


def _moved(movements: Iterable[loyalty.Movement], names: dict[Ref, str]) -> tuple[Any, ...]:
    return tuple((names[movement.ref], movement.points) for movement in movements)


def refusal(client: str, command: Command) -> Question:
    """Why would this be refused now, until when, and since when is it so?"""

    def ask(company: Company) -> Answer:
        spell = owner(client)(company).says[0]
        tried = attrs.evolve(company.context(), new_id=lambda: "tried")
        record = company.record(*company.rulebook.journals(command))
        try:
            refused = company.rulebook.handle(record, command, tried).refusal
        except UnknownError:
            return Answer("nobody knows")
        except RefusedError as error:
            refused = error
        if refused is None:
            return Answer(None)
        told = (refused.reason, refused.rule, refused.until, refused.details(), str(refused))
        return Answer((*told, spell), refused.because)

    return ask


def grounds(refs: Iterable[Ref], events: Iterable[RecordedEvent]) -> set[Ref]:
    """
    The recorded and decided facts that *refs* stand for, through all that was derived from them.

    Raises:
        KeyError: one of them is no event on record.
    """
    known = {recorded.ref: recorded for recorded in events}
    found: set[Ref] = set()
    open_ = list(refs)
    while open_:
        recorded = known[open_.pop()]
        if recorded.type.origin in {Origin.RECORDED, Origin.DECIDED}:
            found.add(recorded.ref)
        else:
            assert recorded.because, f"{recorded.type.name} names no fact"
            open_.extend(recorded.because)
    return found


def about(company: Company, client: str) -> list[RecordedEvent]:
    """What happened to one client, and to staff and units."""
    shared = {JournalKind.EMPLOYEE, JournalKind.UNIT}
    return [e for e in company.events if e.journal.kind in shared or e.journal.id == client]


def idle_facts(
    company: Company, client: str, question: Question, empty: Callable[[], Company]
) -> tuple[set[Ref], list[str]]:
    """
    The facts that an answer names, and those of them without which it would be the same.

    Args:
        company: As it is.

        client: Whom the question is about.

        question: What is asked.

        empty: Makes a company under the same definitions in which nothing happened yet.
    """
    events = about(company, client)
    answer = question(company)
    facts = grounds(answer.names, events)
    kinds = {recorded.ref: recorded.type.name for recorded in events}
    idle = [
        f"{kinds[fact]} {fact}"
        for fact in sorted(facts)
        if question(without(events, empty(), [fact], company.now)).says == answer.says
    ]
    return facts, idle
