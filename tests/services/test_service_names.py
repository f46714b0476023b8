"""
Names of services.
"""

from __future__ import annotations

from clientela.services.service_names import service_names
from tests.services.edge import PROTOS, Stage, services


def test_every_service_of_the_package_is_named():
    """
    Health and reflection name what is offered.
    """
    names = service_names(services(Stage()))

    assert "clientela.v1.OwnershipService" in names
    assert len(PROTOS) == len(set(names)) == len(names)
