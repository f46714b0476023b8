from __future__ import annotations

from pathlib import Path

import pytest

from clientela.adapters.environment import settings_from, unknown_variables
from clientela.adapters.settings import Mode, SettingError, Settings


def test_defaults_serve_this_machine_only():
    """
    Without a word the service is one for development, on loopback.
    """
    assert Settings() == settings_from({})
    assert (Mode.DEVELOPMENT, "127.0.0.1") == (Settings().mode, Settings().host)


def test_flags_go_over_the_environment():
    """
    What is said on the command line counts, then the environment, then the default.
    """
    environment = {"CLIENTELA_PORT": "7000", "CLIENTELA_REGION": "CZ", "HOME": "/"}

    found = settings_from(environment, port=0, host=None, data_dir=Path("here"))

    assert Settings(port=0, region="CZ", data_dir=Path("here")) == found


def test_files_stand_in_the_data_folder():
    """
    Database, keys and address are found by the folder alone.
    """
    found = settings_from({"CLIENTELA_DATA_DIR": "/srv/clientela"})

    assert Path("/srv/clientela/clientela.db") == found.database
    assert Path("/srv/clientela/keys.json") == found.key_file
    assert Path("/srv/clientela/service.json") == found.address_file


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"PORT": "seven"}, "port"),
        ({"PORT": "65536"}, "port"),
        ({"PORT": "-1"}, "port"),
        ({"MODE": "Production"}, "mode"),
        ({"MODE": "production"}, "jwks_file"),
        ({"MODE": "production", "JWKS_FILE": "keys.json"}, "issuer"),
        ({"VIRTUAL_CLOCK": "yes"}, "virtual_clock"),
        ({"DATABASE_URL": "mysql://ivan@localhost/clients"}, "database_url"),
        ({"DATABASE_URL": "postgresql://ivan:secret@localhost/clients"}, "database_url"),
        ({"DATABASE_URL": "postgresql://localhost/clients?password=secret"}, "database_url"),
        ({"DATABASE_URL": "postgresql://[::1/clients"}, "database_url"),
        ({"DATA_DIR": ""}, "data_dir"),
        ({"REGION": "cz"}, "region"),
        ({"REGION": ""}, "region"),
        ({"TLS_CLIENT_CA": "", "TLS_CERTIFICATE": "a.pem", "TLS_KEY": "b.pem"}, "tls_client_ca"),
        ({"TLS_CERTIFICATE": "a.pem"}, "tls_key"),
        ({"TLS_KEY": "a.pem"}, "tls_key"),
        ({"TLS_CLIENT_CA": "a.pem"}, "tls_client_ca"),
    ],
)
def test_a_wrong_setting_is_named(environment, name):
    """
    A setting that is malformed, or does not go with another, is named; its value is not.
    """
    with pytest.raises(SettingError) as caught:
        settings_from({f"CLIENTELA_{key}": value for key, value in environment.items()})

    assert name == caught.value.name
    assert str(caught.value).startswith(f"CLIENTELA_{name.upper()}: expected ")


def test_a_flag_is_checked_like_a_variable():
    """
    It does not matter where a setting is said.
    """
    with pytest.raises(SettingError):
        settings_from({}, mode="trial")

    assert Mode.PRODUCTION == settings_from({}, mode="production", jwks_file="k", issuer="i").mode


@pytest.mark.parametrize("said", ["::1", "[::1]"])
def test_an_address_with_colons_is_told_apart_from_its_port(said):
    """
    An address of IPv6 may be said with brackets or without; listeners and callers need them.
    """
    assert "[::1]" == settings_from({"CLIENTELA_HOST": said}).host
    assert "[::1]" == settings_from({}, host=said).host


def test_misspelt_variables_are_found():
    """
    What looks like a setting and is none is told by the doctor.
    """
    environment = {"CLIENTELA_DTA_DIR": "x", "CLIENTELA_PORT": "1", "PATH": "y"}

    assert ("CLIENTELA_DTA_DIR",) == unknown_variables(environment)
