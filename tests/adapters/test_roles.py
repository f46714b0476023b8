"""
Roles of a process.
"""

from __future__ import annotations

import pytest

from clientela.adapters.addresses import found, told
from clientela.adapters.environment import settings_from
from clientela.adapters.roles import ROLES, Role, roles_in
from clientela.adapters.settings import SettingError, Settings


URL = "postgresql://clientela@localhost/clients"


def test_process_has_every_role_unless_it_is_told_otherwise():
    """
    Nothing said means all of it.
    """
    assert ROLES == Settings().roles
    assert ROLES == settings_from({"CLIENTELA_ONLY": ""}).roles


@pytest.mark.parametrize("environment", [{"CLIENTELA_ONLY": "scheduler, service"}, {}])
def test_roles_are_said_once_each_in_one_order(environment):
    """
    By the variable or the option, in whatever order and however often.
    """
    flags = {} if environment else {"only": "scheduler,service,scheduler"}

    settings = settings_from({"CLIENTELA_DATABASE_URL": URL, **environment}, **flags)

    assert (Role.SERVICE, Role.SCHEDULER) == settings.only == settings.roles


def test_other_role_is_refused():
    """
    A role there is not is told from none.
    """
    assert None is roles_in("service,chief")
    with pytest.raises(SettingError, match="CLIENTELA_ONLY: expected some of service, scheduler"):
        settings_from({"CLIENTELA_ONLY": "chief"})


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"ONLY": "service"}, "only"),
        ({"ONLY": "service", "DATABASE_URL": URL, "BUS": "embedded"}, "bus"),
        ({"ONLY": "relay", "DATABASE_URL": URL}, "bus"),
        ({"ONLY": "service,inbound", "DATABASE_URL": URL, "BUS": "none"}, "bus"),
    ],
)
def test_role_that_nothing_comes_of_is_refused(said, name):
    """
    A file belongs to one process, a broker of our own to its service; a relay needs a bus.
    """
    with pytest.raises(SettingError) as caught:
        settings_from({f"CLIENTELA_{key}": value for key, value in said.items()})

    assert name == caught.value.name


def test_verbs_pass_by_a_process_that_answers_no_calls(tmp_path):
    """
    What a process says of itself tells whether it is there for calls.
    """
    path = tmp_path / "service.json"

    for only, is_for_calls in (
        ((), True),
        ((Role.SCHEDULER,), False),
        ((Role.SERVICE, Role.SCHEDULER), True),
    ):
        with told(path, "127.0.0.1:1", is_encrypted=False, only=only):
            said = found(path)
        assert said is not None
        assert (only, is_for_calls) == (said.only, said.is_for_calls)
