"""
Settings of the bus.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clientela.adapters.environment import settings_from
from clientela.adapters.settings import NO_BUS, SettingError, Settings


def test_library_and_private_services_have_no_bus():
    """
    Whoever makes settings without a word about a bus gets none; `serve` says `embedded` itself.
    """
    assert NO_BUS == Settings().bus


def test_bus_is_named_with_everything_that_belongs_to_it():
    """
    A cluster, what lets us in, who signed its certificates, and how its stream is made.
    """
    environment = {
        "CLIENTELA_BUS": "nats://a:4222,tls://b:4222",
        "CLIENTELA_BUS_CREDENTIALS": "relay.creds",
        "CLIENTELA_BUS_CA": "ca.pem",
        "CLIENTELA_BUS_CREATE": "0",
        "CLIENTELA_BUS_REPLICAS": "3",
    }
    found = settings_from(environment)

    assert ("nats://a:4222", "tls://b:4222") == found.brokers
    assert (Path("relay.creds"), Path("ca.pem")) == (found.bus_credentials, found.bus_ca)
    assert (False, 3) == (found.bus_create, found.bus_replicas)


def test_files_of_a_broker_of_our_own_stand_in_the_data_folder():
    """
    They are found by the folder alone.
    """
    assert Path("/srv/nats") == Settings(data_dir=Path("/srv")).bus_folder


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"BUS": ""}, "bus"),
        ({"BUS": "amqp://a"}, "bus"),
        ({"BUS": "nats://a,embedded"}, "bus"),
        ({"BUS": "nats://user:hunter2@a"}, "bus"),
        ({"BUS_REPLICAS": "0"}, "bus_replicas"),
        ({"BUS_REPLICAS": "6"}, "bus_replicas"),
        ({"BUS_CREATE": "yes"}, "bus_create"),
    ],
)
def test_malformed_setting_is_refused_by_name(environment: dict[str, str], name: str):
    """
    S9: a bus that cannot be, or whose address holds a secret, is refused without repeating it.
    """
    with pytest.raises(SettingError) as refused:
        settings_from({f"CLIENTELA_{key}": value for key, value in environment.items()})

    assert name == refused.value.name
    assert "hunter2" not in str(refused.value)
