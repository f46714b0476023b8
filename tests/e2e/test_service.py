"""
The service as a process, and verbs that talk to it.
"""

from __future__ import annotations

import json
import signal
import time

import grpc
import pytest

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2_grpc import HealthStub  # type: ignore[import-untyped]

from tests.e2e.process import Shop, kill
from tests.e2e.town import DEFINITIONS, STAFF, written


@pytest.fixture
def shop(tmp_path):
    """A data folder that is not there yet."""
    return Shop(tmp_path / "data")


def test_it_starts_says_what_to_do_and_stops(shop):
    """
    A service is up within seconds, says where it listens, where its data is and what to type next,
    tells its health, and ends with 0 when it is told to.
    """
    begun = time.monotonic()
    service = shop.begin("serve", "--port", 0)
    shop.wait_for_service(service)
    took = time.monotonic() - begun
    target = json.loads((shop.folder / "service.json").read_text())["address"]
    with grpc.insecure_channel(target) as channel:
        health = HealthStub(channel).Check(HealthCheckRequest(), timeout=60)
    service.send_signal(signal.SIGTERM)
    said, _ = service.communicate(timeout=60)

    assert HealthCheckResponse.SERVING == health.status
    assert target in said
    assert str(shop.folder) in said
    assert "clientela import purchases" in said
    assert 0 == service.returncode
    assert not (shop.folder / "service.json").exists()
    assert took < 60


def test_verbs_talk_to_the_service_or_start_one_for_themselves(shop, tmp_path):
    """
    The same verb with and without a running service gives the same answer.
    """
    definitions = written(tmp_path, "shop.toml", DEFINITIONS)

    with shop.served():
        applied = shop.run("apply", definitions, "--yes", "-o", "json").json
        running = shop.run("stats", "-o", "json").json
    alone = shop.run("stats", "-o", "json").json
    again = shop.run("apply", definitions, "--yes", "-o", "json").json

    assert (1, True) == (applied["version"], applied["applied"])
    assert running == alone
    assert not again["applied"]


def test_the_address_of_a_killed_service_misleads_nobody(shop):
    """
    After kill -9 the file of the address is left; the next verb works all the same.
    """
    with shop.served() as service:
        kill(service)

    assert (shop.folder / "service.json").exists()
    shop.run("stats")


def test_two_services_do_not_share_a_store(shop):
    """
    A second service over the same folder is refused with exit code 3, and says who holds it.
    """
    with shop.served() as service:
        told = shop.run("serve", "--port", 0, code=3)

    assert f"process {service.pid}" in told.errors


def test_a_port_that_is_taken_is_told_in_our_words(shop, tmp_path):
    """
    The second service says which port and what to do, ends with exit code 3, and no library adds
    lines of its own: what goes to the error output is read by machines.
    """
    with shop.served():
        target = json.loads((shop.folder / "service.json").read_text())["address"]
        port = target.rpartition(":")[2]
        told = Shop(tmp_path / "other").run("serve", "--port", port, code=3)

    assert [
        f"clientela: cannot listen on {target}: it is in use, or not of this machine",
        "  Name another port with --port; 0 lets the system choose.",
    ] == told.errors.splitlines()


def test_a_service_that_is_named_must_be_there(shop):
    """
    With --address nothing is started here: exit code 3 says that nobody answers.
    """
    told = shop.run("stats", "--address", "127.0.0.1:9", code=3)

    assert "no service answers at 127.0.0.1:9" in told.errors
    assert not shop.folder.exists()


def test_development_does_not_listen_to_other_machines(shop):
    """
    S2: a mode that believes callers is for this machine only.
    """
    told = shop.run("serve", "--host", "192.0.2.1", "--port", 0, code=1)

    assert "192.0.2.1:0 can be reached from other machines" in told.errors


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("serve", "--mode", "trial"), "CLIENTELA_MODE: expected development or production"),
        (("serve", "--mode", "production"), "CLIENTELA_JWKS_FILE: expected"),
        (("serve", "--port", "x"), "--port"),
        (("find",), "name one of --phone"),
        (("find", "--source", "7"), "expected SOURCE:ID"),
        (("advance", "--to", "soon"), "--to: expected a date"),
        (("advance", "--to", "2026-01-01T12:00"), "--to: expected a date"),
        (("dance",), "No such command"),
        (("import", "dreams", "x", "--map", "y"), "dreams"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_ends_with_2(shop, arguments, expected):
    """
    A command line or setting that makes no sense ends with exit code 2 and says what was expected.
    """
    told = shop.run(*arguments, code=2)

    assert expected in told.errors


def test_virtual_time_moves_when_it_is_told_to(shop, tmp_path):
    """
    A date means the end of that day; a clock never goes back; a store in real time has none.
    """
    shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")

    moved = shop.run("advance", "--to", "2026-06-30", "-o", "json").json
    back = shop.run("advance", "--to", "2026-01-01", "-o", "json").json
    real = Shop(tmp_path / "real", is_virtual=False)
    refused = real.run("advance", "--to", "2026-06-30", code=1)

    assert "2026-07-01T00:00:00+00:00" == moved["now"] == back["now"]
    assert "CLOCK_REAL" in refused.errors


def test_a_store_in_real_time_does_not_become_virtual(shop, tmp_path):
    """
    Asked to serve a real store in virtual time, the service does not start and says what to do.
    """
    real = Shop(tmp_path / "real", is_virtual=False)
    real.make()

    told = Shop(tmp_path / "real").run("serve", "--port", 0, code=1)

    assert "runs in real time" in told.errors


def test_the_second_seller_is_refused_by_rule_and_fact(shop, tmp_path):
    """
    OWN-6: who comes second learns the rule, the reason, and the fact it rests on.
    """
    shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
    shop.run("staff", written(tmp_path, "staff.toml", STAFF))
    people = written(tmp_path, "people.csv", "id,name,phone\n7,Petra Novak,+420601123456\n")
    mapping = written(
        tmp_path,
        "people.toml",
        'source = "crm"\n[columns]\nclient = "id"\nname = "name"\n[identifiers]\nphone = "phone"\n',
    )
    shop.run("import", "clients", people, "--map", mapping)

    first = shop.run("approach", "crm:7", "marta")
    second = shop.run("approach", "crm:7", "nora", code=1)
    shown = shop.run("show", "crm:7", "--why")
    known = shop.run("show", "crm:7", "-o", "json").json
    again = shop.run("staff", tmp_path / "staff.toml")

    assert "marta of north looks after" in first.out
    assert "CLIENT_TAKEN" in second.errors
    assert "rule=OWN-6" in second.errors
    assert "because of: client-claimed" in second.errors
    assert "Why this owner: rule OWN-1" in shown.out
    assert "Petra Novak" == known["client"]["details"]["name"]
    assert "Registered 0; 4 were there already." in again.out


def test_a_client_is_found_exported_and_erased(shop, tmp_path):
    """
    S9: found by phone and name before the erasure, by neither after it.
    """
    people = written(tmp_path, "people.csv", "id,name,phone\n7,Petra Novak,+420601123456\n")
    mapping = written(
        tmp_path,
        "people.toml",
        'source = "crm"\n[columns]\nclient = "id"\nname = "name"\n[identifiers]\nphone = "phone"\n',
    )
    shop.run("import", "clients", people, "--map", mapping)

    by_phone = shop.run("find", "--phone", "+420 601 123 456", "-o", "json").json
    by_name = shop.run("find", "--name", "nov", "-o", "json").json
    exported = shop.run("export", "crm:7").out.splitlines()
    asked = shop.run("erase", "crm:7", "--act", "17", code=1)
    shop.run("erase", "crm:7", "--act", "17", "--yes")
    after = shop.run("find", "--name", "nov", "-o", "json").json

    assert by_phone == by_name
    assert ["Petra Novak"] == [client["name"] for client in by_name]
    assert "client" in json.loads(exported[0])
    assert len(exported) - 2 == int(json.loads(exported[-1])["summary"]["entries"])
    assert "nothing was erased" in asked.errors
    assert [] == after


def test_definitions_with_mistakes_are_refused_place_by_place(shop, tmp_path):
    """
    LIFE-11: a document is refused whole; each problem is named by its place. An empty one is right.
    """
    wrong = written(tmp_path, "wrong.toml", DEFINITIONS.replace("per_minor", "per_mile"))

    told = shop.run("apply", wrong, "--yes", code=1)
    empty = shop.run("apply", written(tmp_path, "empty.toml", ""))
    unasked = shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), code=1)

    assert "DEFINITIONS_INVALID" in told.errors
    assert "loyalty.awards[0]" in told.errors
    assert "Nothing differs from the latest version" in empty.out
    assert "nothing was changed" in unasked.errors


def test_the_doctor_finds_what_is_wrong(shop):
    """
    Nothing is bad on a fresh machine; an exposed key file is, and ends with exit code 5.
    """
    fresh = shop.run("doctor")
    shop.make()
    (shop.folder / "keys.json").chmod(0o644)

    told = shop.run("doctor", "-o", "json", code=5)

    assert "serve makes" in fresh.out
    assert ["keys"] == [each["what"] for each in json.loads(told.out) if each["state"] == "bad"]


def test_a_copy_is_put_back(shop, tmp_path):
    """
    R8: what was copied while it was served is there again after the restore, and verified.
    """
    definitions = written(tmp_path, "shop.toml", DEFINITIONS)
    copy = tmp_path / "copy.db"
    shop.run("apply", definitions, "--yes")
    shop.run("backup", copy)
    twice = shop.run("backup", copy, code=1)
    shop.run("apply", written(tmp_path, "other.toml", DEFINITIONS.replace("12", "6")), "--yes")

    asked = shop.run("restore", copy, code=1)
    shop.run("restore", copy, "--yes")
    back = shop.run("apply", definitions, "--dry-run", "-o", "json").json

    assert "nothing there yet" in twice.errors
    assert "nothing was restored" in asked.errors
    assert (1, []) == (back["version"], back["changes"])
    shop.run("verify")


def test_keys_are_rotated_and_steps_are_listed(shop):
    """
    Operators replace the key-encryption key, and see what the database went through.
    """
    shop.make()

    steps = shop.run("migrate", "status", "-o", "json").json

    assert "wrapped anew" in shop.run("keys", "rotate").out
    assert all(step["applied"] for step in steps)
    assert [] == shop.run("migrate", "plan", "-o", "json").json
    assert "Took 0 steps" in shop.run("migrate", "up").out


def test_a_copy_of_before_a_rotation_takes_the_place_of_nothing(shop, tmp_path):
    """
    R8, S10: a copy that the keys do not open any more is refused while the store is still there;
    with the key file of its time it is restored and opens.
    """
    copy, keys = tmp_path / "copy.db", shop.folder / "keys.json"
    shop.make()
    shop.run("backup", copy)
    before = keys.read_bytes()
    shop.run("keys", "rotate")
    database = (shop.folder / "clientela.db").read_bytes()

    refused = shop.run("restore", copy, "--yes", code=1)

    assert f"{keys} does not open {copy}: keys were rotated in between" in refused.errors
    assert database == (shop.folder / "clientela.db").read_bytes()
    keys.write_bytes(before)
    examined = shop.run("doctor", "-o", "json", code=5)
    assert ["keys"] == [each["what"] for each in json.loads(examined.out) if each["state"] == "bad"]
    assert "of before a rotation of keys" in shop.run("stats", code=1).errors
    shop.run("restore", copy, "--yes")
    shop.run("verify")


def test_every_verb_says_what_it_does(shop):
    """
    Help needs no data; the table of exit codes stands under it.
    """
    told = shop.run("--help").out

    assert "Exit codes: 0 done" in told
    for verb in ("serve", "import", "apply", "show", "doctor", "verify"):
        assert verb in told
        assert "Usage: " in shop.run(verb, "--help").out
    assert shop.run("version").out.startswith("clientela ")
    assert not shop.folder.exists()


def test_another_key_file_is_refused(shop, tmp_path):
    """
    S10: a store is served with the keys it is sealed with, and with no others.
    """
    shop.make()
    other = Shop(tmp_path / "other")
    other.make()
    (shop.folder / "keys.json").write_bytes((other.folder / "keys.json").read_bytes())

    told = shop.run("stats", code=1)
    examined = shop.run("doctor", "-o", "json", code=5)

    assert "is not the key file of this database" in told.errors
    assert ["keys"] == [each["what"] for each in json.loads(examined.out) if each["state"] == "bad"]
