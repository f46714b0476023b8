"""
What the tests of interactions start from.
"""

from __future__ import annotations

import pytest

from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.ownership.rules import OWNERSHIP
from tests.domain.interaction.talks import OLGA, PETRA
from tests.domain.register import REGISTER, Register
from tests.domain.spec import Scenario


@pytest.fixture
def company():
    """A company that runs ownership and interactions, with two clients."""
    scenario = Scenario(REGISTER, OWNERSHIP, INTERACTION)
    scenario.when(Register(client_id=PETRA), Register(client_id=OLGA))
    return scenario
