"""
The image, the compose file and the unit, as far as they can be checked without an engine.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
import tomllib

from pathlib import Path

import attrs
import pytest
import yaml

from compose_spec import PyCompose

from clientela.adapters.settings import Settings


HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"


def linted(path):
    """What hadolint finds wrong with a file."""
    done = subprocess.run(
        [str(HADOLINT), "--no-color", "--format", "json", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [each["code"] for each in json.loads(done.stdout)]


def test_the_image_is_well_made(deploy):
    """
    S16: hadolint finds nothing, nothing is silenced.
    """
    assert [] == linted(deploy / "Dockerfile")
    assert "hadolint ignore" not in (deploy / "Dockerfile").read_text(encoding="utf-8")


def test_the_lint_can_fail(deploy, tmp_path):
    """
    The check above finds what it is for: no tag, and root at the end.
    """
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(text.replace("python:3.13-slim-bookworm\n", "python\n"), encoding="utf-8")

    assert "DL3006" in linted(wrong)


def test_the_image_holds_what_the_wheel_is_made_of(deploy):
    """
    Every root of the package, and what describes it, is copied and not kept out.
    """
    project = tomllib.loads((deploy.parent / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {package.partition("/")[0] for package in wheel["packages"]}
    needed |= {"pyproject.toml", project["project"]["readme"]}
    needed |= set(project["project"]["license-files"])
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    }
    allowed = (deploy / "Dockerfile.dockerignore").read_text(encoding="utf-8")

    assert needed == copied
    assert needed == set(re.findall(r"^!(.+)$", allowed, re.MULTILINE))
    assert all((deploy.parent / source).exists() for source in copied)


def test_the_image_runs_as_nobody_and_tells_its_health(deploy):
    """
    S9, R18: not root, nothing secret in it, health from inside.
    """
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")

    assert "USER 10001:10001" == re.findall(r"^USER .+$", text, re.MULTILINE)[-1]
    assert 'CMD ["clientela", "health", "--quiet"]' in text
    assert not re.search(r"(?i)password|secret|token", text)


def variables(text):
    """Settings named in a file."""
    return set(re.findall(r"\bCLIENTELA_[A-Z_]+\b", text))


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "compose.yaml",
        "README.md",
        "systemd/clientela.service",
        "chart/templates/deployment.yaml",
    ],
)
def test_every_setting_that_is_named_is_one(deploy, name):
    """
    A setting that there is not does nothing, silently.
    """
    known = {f"CLIENTELA_{field.name.upper()}" for field in attrs.fields(Settings)}

    assert set() == variables((deploy / name).read_text(encoding="utf-8")) - known


@pytest.fixture(scope="module")
def compose(deploy):
    """The compose file as plain data, merges done."""
    return yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))


def test_the_compose_file_follows_the_specification(compose):
    """
    Parsed by the Compose specification, merges done.
    """
    PyCompose.from_json(json.dumps(compose))


@pytest.mark.parametrize("key", ["imag", "read_onyl", "secrte"])
def test_a_compose_file_that_is_wrong_is_refused(compose, key):
    """
    The check above can fail.
    """
    wrong = json.loads(json.dumps(compose))
    wrong["services"]["nats"][key] = "x"

    with pytest.raises(ValueError, match=key):
        PyCompose.from_json(json.dumps(wrong))


def test_what_the_compose_file_names_is_there(deploy, compose):
    """
    Files, networks, volumes, configurations and secrets that are used are declared, and all are
    used; settings files are in the checkout, secrets are not.
    """
    used: dict[str, set[str]] = {
        "configs": set(),
        "networks": set(),
        "secrets": set(),
        "volumes": set(),
    }
    for service in compose["services"].values():
        for kind, names in used.items():
            names |= {_name(each) for each in service.get(kind, ())}
    files = [each["file"] for each in compose["configs"].values() if "file" in each]

    assert {kind: set(compose[kind]) for kind in used} == used
    assert all((deploy / file).is_file() for file in files)
    assert not (deploy / "secrets").exists()


def _name(entry):
    if isinstance(entry, str):
        return entry.partition(":")[0]
    return entry["source"]


def test_every_container_is_contained(compose):
    """
    S9: a root that is only read, no rights to gain, no core dumps, nothing open but the service.
    """
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert ["ALL"] == service["cap_drop"], name
        assert ["no-new-privileges:true"] == service["security_opt"], name
        assert 0 == service["ulimits"]["core"], name
        assert ("ports" in service) == (name == "clientela"), name
    assert compose["networks"]["inside"]["internal"]


def test_servers_own_the_volumes_they_write(compose):
    """
    A new volume at a place that an image does not have belongs to root: what archives and streams
    are kept in is given to the servers, which are no root, before they start.
    """
    services = compose["services"]
    giving = services["volumes"]
    given = {_name(volume) for volume in giving["volumes"]}
    kept = {"postgresql": "archive", "nats": "nats"}

    assert set(kept.values()) == given
    assert ["CHOWN"] == giving["cap_add"]
    for name, volume in kept.items():
        assert volume in set(map(_name, services[name]["volumes"]))
        waits = services[name]["depends_on"]["volumes"]
        assert "service_completed_successfully" == waits["condition"]
    assert ["chown postgres:postgres /archive && chown 10001:10001 /nats"] == giving["command"]
    assert "10001:10001" == services["nats"]["user"]


def test_the_database_is_there_when_its_health_says_so(compose):
    """
    While the image makes the database, a server answers over the socket alone.
    """
    assert "--host=127.0.0.1" in compose["services"]["postgresql"]["healthcheck"]["test"]


def test_no_secret_is_in_a_setting(compose):
    """
    S9: passwords come from files.
    """
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert name.endswith("_FILE") or "password" not in f"{name} {value}".lower()
            assert not re.search(r"://[^/@\s]+:[^/@\s]+@", str(value))


@pytest.fixture
def unit(deploy):
    """The unit for systemd."""
    return deploy / "systemd" / "clientela.service"


def test_the_unit_is_one(unit):
    """
    Every line is a section or a setting, in a section that there is, and set once unless a list.
    """
    lines = unit.read_text(encoding="utf-8").splitlines()
    settings = [line for line in lines if line and not line.startswith(("#", "["))]
    sections = [line for line in lines if line.startswith("[")]

    assert ["[Unit]", "[Service]", "[Install]"] == sections
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+=.*", line) for line in settings)


def test_the_unit_names_nothing_that_nobody_installs(unit):
    """
    Of /opt/clientela it names programs alone: an environment of Python holds no pages.
    """
    named = re.findall(r"/opt/clientela\S*", unit.read_text(encoding="utf-8"))

    assert {"/opt/clientela/bin/clientela"} == set(named)


def test_systemd_finds_nothing_wrong_with_the_unit(unit, tmp_path):
    """
    Where there is a systemd, it reads the unit; elsewhere the test above has to do.
    """
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        return
    text = unit.read_text(encoding="utf-8").replace("/opt/clientela/bin/clientela", "/bin/true")
    copy = tmp_path / "clientela.service"
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [analyse, "verify", str(copy)], capture_output=True, text=True, check=False
    )

    complaints = [line for line in done.stderr.splitlines() if "clientela.service" in line]
    assert [] == [line for line in complaints if "Unknown" in line or "Failed to parse" in line]
