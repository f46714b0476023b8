"""
The standard composition: every rule set of Clientela, in the order in which they react.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clientela.domain.company import Company
from clientela.domain.context import Definitions, DefinitionVersion, NormalForms
from clientela.domain.definitions.loading import load
from clientela.domain.definitions.versions import (
    BEGINNING,
    definitions_rule_set,
    section_types,
)
from clientela.domain.identity.profile import IDENTITY
from clientela.domain.ids import Code
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.lifecycle.stages import LIFECYCLE
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.organisation.staff import STAFF
from clientela.domain.organisation.units import UNITS
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Vault
from clientela.domain.purchase.recording import PURCHASE
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet


_RULE_SETS = (
    IDENTITY,
    UNITS,
    STAFF,
    OWNERSHIP,
    INTERACTION,
    LIFECYCLE,
    LOYALTY,
    # After the ledger: a late purchase opens the wallet before the returns that waited for it
    # take its points back.
    PURCHASE,
)


def standard_rulebook(more: Iterable[RuleSet] = ()) -> Rulebook:
    """
    The rulebook of Clientela.

    Args:
        more: Rule sets of a company's own, which react after the others.
    """
    rule_sets = (*_RULE_SETS, *more)
    return Rulebook((definitions_rule_set(section_types(rule_sets)), *rule_sets))


def definitions_from(text: str, rulebook: Rulebook) -> Definitions:
    """
    One version of definitions, in force for ever.

    Args:
        text: The document, TOML.

        rulebook: Knows the sections.

    Raises:
        DefinitionsError: anything is wrong with the document.
    """
    sections = load(text, section_types(rulebook.rule_sets))
    return Definitions((DefinitionVersion(1, BEGINNING, sections),))


class PlainForms:
    """
    Normal forms without any library: case and blanks do not count.

    For trials; real phone numbers and addresses want the extra `identifiers`.
    """

    def normal(self, kind: Code, text: str) -> str:
        """Lower case, without blanks, whatever the kind."""
        del kind
        return "".join(text.split()).casefold()


def standard_company(
    definitions: str | Definitions,
    *,
    vault: Vault,
    now: datetime,
    forms: NormalForms | None = None,
    more: Iterable[RuleSet] = (),
) -> Company:
    """
    A company in memory that runs every rule of Clientela, and rules of its own.

    Args:
        definitions: What it has set, as TOML or loaded; an empty text for the defaults.

        vault: Seals personal values.

        now: Where its clock stands at first, aware, UTC.

        forms: Normal forms of identifiers; plain ones if not given.

        more: Rule sets of its own, which react after the others.

    Raises:
        DefinitionsError: anything is wrong with the definitions.

        RulebookError: a rule set of its own shares a name with another one.
    """
    rulebook = standard_rulebook(more)
    if isinstance(definitions, str):
        definitions = definitions_from(definitions, rulebook)
    return Company(
        rulebook,
        definitions=definitions,
        vault=vault,
        forms=forms or PlainForms(),
        now=now,
    )
