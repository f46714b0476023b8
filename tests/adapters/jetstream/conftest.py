"""
One broker for all tests of a process, with an account for each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clientela.adapters.jetstream.connection import Broker
from tests.adapters.jetstream.brokers import RealBroker, broker


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    """A broker that is never killed."""
    with broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def account(shared_broker: RealBroker) -> Broker:
    """A way in of the test's own."""
    return shared_broker.account()
