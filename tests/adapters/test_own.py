from __future__ import annotations

import pytest

from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.own import OwnAuthenticator
from clientela.services.principal import Credentials
from clientela.services.refusals import UnauthenticatedError


OWN = OwnAuthenticator(secret="s3cret", inner=DevelopmentAuthenticator(frozenset()))


def says(**headers):
    """Credentials that say so."""
    return Credentials(
        metadata={f"x-clientela-{name}": (value,) for name, value in headers.items()}
    )


def test_who_knows_the_secret_is_believed():
    """
    A verb talks to the service of its own process.
    """
    assert "service/cli" == str(OWN.authenticate(says(secret="s3cret", actor="service/cli")).actor)
    assert OWN.is_for_trials


@pytest.mark.parametrize("headers", [{}, {"secret": ""}, {"secret": "s3cre"}, {"secret": "ß"}])
def test_who_does_not_know_it_is_nobody(headers):
    """
    Whoever finds the port of a verb's own service may do nothing there.
    """
    with pytest.raises(UnauthenticatedError):
        OWN.authenticate(says(actor="service/cli", **headers))


def test_the_secret_is_not_shown():
    """
    It stands in no log.
    """
    assert "s3cret" not in repr(OWN)
