"""
The chart, rendered by Helm's own library and checked against the schemas of Kubernetes.
"""

from __future__ import annotations

import json
import re
import tomllib

from typing import Any

import helm_python as helm
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml


KUBERNETES = "1.29", "1.37"
"""The oldest release that the chart names, and the newest that there are schemas of."""

EVERYTHING = {
    "callers": {"configMap": "callers"},
    "tls": {"secret": "tls", "clientCertificates": True},
    "traces": {"endpoint": "http://collector:4317", "share": "0.5"},
    "networkPolicy": {"destinations": [{"podSelector": {}}]},
    "podAnnotations": {"a": "b"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "imagePullSecrets": [{"name": "pull"}],
    "serviceAccount": {"annotations": {"a": "b"}},
    "service": {"type": "LoadBalancer"},
}
NOTHING = {
    "bus": {"url": ""},
    "metrics": {"enabled": False},
    "networkPolicy": {"enabled": False},
}
VALUES = {"as shipped": {}, "everything": EVERYTHING, "nothing": NOTHING}
PARTS = {
    "calls": {"only": ["service"], "replicas": 4},
    "back": {
        "only": ["scheduler", "relay", "inbound"],
        "replicas": 2,
        "resources": {"limits": {"memory": "512Mi"}},
    },
}


@pytest.fixture
def chart(deploy):
    """The chart, loaded."""
    with helm.Chart.load(str(deploy / "chart")) as loaded:
        yield loaded


def objects(chart, values) -> dict[str, Any]:
    """What the chart comes to, by kind."""
    files = chart.render(values, name="shop", namespace="sales")
    parsed = (yaml.safe_load(text) for name, text in files.items() if name.endswith(".yaml"))
    return {each["kind"]: each for each in parsed if each}


def parts(chart, kind, values):
    """All objects of a kind that the chart comes to, by their names."""
    files = chart.render(values, name="shop", namespace="sales")
    made = [
        each
        for name, text in files.items()
        if name.endswith(".yaml")
        for each in yaml.safe_load_all(text)
        if each
    ]
    return {each["metadata"]["name"]: each for each in made if each["kind"] == kind}


def selected(service, deployments):
    """Names of the Deployments whose pods have every label that *service* selects by."""
    wanted = service["spec"]["selector"].items()
    return {
        name
        for name, each in deployments.items()
        if wanted <= each["spec"]["template"]["metadata"]["labels"].items()
    }


@pytest.mark.parametrize("values", [{}, {"roles": PARTS}], ids=["all in one", "roles"])
def test_what_helm_says_at_the_end_can_be_typed(chart, values):
    """
    The notes name something that is there, whether or not roles are Deployments of their own.
    """
    notes = chart.render(values, name="shop", namespace="sales")["clientela/templates/NOTES.txt"]
    [(kind, name)] = re.findall(r"exec (\w+)/(\S+) -- clientela doctor", notes)

    assert name in parts(chart, kind.capitalize(), values)


@pytest.mark.parametrize("release", KUBERNETES)
def test_roles_run_as_deployments_of_their_own(chart, release):
    """
    Issue 3: each kind of processes has its own Deployment, told its roles, and its own budget;
    calls go to those alone that answer them.
    """
    values = {"roles": PARTS}
    chart.validate_schema(values)
    found = {kind: parts(chart, kind, values) for kind in ("Deployment", "PodDisruptionBudget")}
    [service] = parts(chart, "Service", values).values()
    [policy] = parts(chart, "NetworkPolicy", values).values()
    names = {"shop-clientela-calls", "shop-clientela-back"}
    for each in (*found["Deployment"].values(), *found["PodDisruptionBudget"].values(), service):
        kubernetes_validate.validate(each, release, strict=True)
    only = {
        name: [e["value"] for e in _only(each)["env"] if e["name"] == "CLIENTELA_ONLY"]
        for name, each in found["Deployment"].items()
    }

    assert [names, names] == [set(each) for each in found.values()]
    assert {
        "shop-clientela-calls": ["service"],
        "shop-clientela-back": ["scheduler,relay,inbound"],
    } == only
    assert {"shop-clientela-calls"} == selected(service, found["Deployment"])
    back = found["Deployment"]["shop-clientela-back"]
    assert 2 == back["spec"]["replicas"]
    assert {"limits": {"memory": "512Mi"}} == _only(back)["resources"]
    reached = policy["spec"]["podSelector"]["matchLabels"].items()
    for name, each in found["Deployment"].items():
        labels = each["spec"]["template"]["metadata"]["labels"]
        assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()
        budget = found["PodDisruptionBudget"][name]["spec"]["selector"]["matchLabels"]
        assert each["spec"]["selector"]["matchLabels"] == budget
        assert reached <= labels.items()


def test_processes_that_do_everything_are_told_no_roles(chart):
    """
    As shipped there is one kind of process, and calls go to all of them.
    """
    deployments = parts(chart, "Deployment", {})
    [service] = parts(chart, "Service", {}).values()

    assert ["shop-clientela"] == list(deployments)
    assert {"shop-clientela"} == selected(service, deployments)
    assert "CLIENTELA_ONLY" not in {each["name"] for each in container(chart)["env"]}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"roles": {"calls": PARTS["calls"]}}, "nobody does scheduler"),
        ({"roles": PARTS, "bus": {"url": ""}}, "relay needs bus.url"),
    ],
)
def test_roles_that_leave_work_undone_are_refused(chart, values, told):
    """
    Work that nobody would do, or that cannot be done, is found before it is installed.
    """
    with pytest.raises(helm.HelmError, match=told):
        chart.render(values, name="shop", namespace="sales")


def _only(deployment):
    """The one container of a Deployment."""
    [found] = deployment["spec"]["template"]["spec"]["containers"]
    return found


def container(chart, values=None):
    """The one container."""
    [found] = objects(chart, values or {})["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found


def test_helm_finds_nothing_wrong(deploy):
    """
    `helm lint` has no error and no warning.
    """
    found = helm.lint(str(deploy / "chart"))

    assert [] == found["errors"]
    assert ["icon is recommended"] == [each["error"] for each in found["messages"]]


@pytest.mark.parametrize("release", KUBERNETES)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_kubernetes_takes_what_it_comes_to(chart, values, release):
    """
    Every object is valid, strictly, in the oldest and the newest release.
    """
    made = objects(chart, values)

    for each in made.values():
        kubernetes_validate.validate(each, release, strict=True)
    expected = {"Deployment", "Service", "ServiceAccount", "PodDisruptionBudget"}
    assert expected <= set(made)
    assert ("NetworkPolicy" in made) == (values is not NOTHING)


def test_a_wrong_object_is_refused(chart):
    """
    The check above can fail.
    """
    made = objects(chart, {})["Deployment"]
    made["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(made, KUBERNETES[1], strict=True)


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": "two"},
        {"replica": 3},
        {"tls": {"secret": ""}},
        {"log": {"level": "loud"}},
        {"bus": {"url": "nats://user:password@nats:4222/x"}},
        {"traces": {"endpoint": "collector"}},
        {"roles": {"calls": {"only": ["serving"], "replicas": 1}}},
        {"roles": {"calls": {"only": [], "replicas": 1}}},
        {"roles": {"all": PARTS["calls"]}},
        {"roles": {"of-many-words": PARTS["calls"]}},
    ],
    ids=json.dumps,
)
def test_values_that_make_no_sense_are_refused(chart, values):
    """
    A misspelt value does nothing silently; the schema of the chart refuses it.
    """
    with pytest.raises(helm.HelmValuesError):
        chart.validate_schema(values)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_values_that_are_tried_make_sense(chart, values):
    """
    The schema takes what the tests of this file render.
    """
    chart.validate_schema(values)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_pod_is_contained(chart, values):
    """
    S9: not root, a root folder that is only read, no capability, no token of the cluster.
    """
    pod = objects(chart, values)["Deployment"]["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
    for each in (*pod["containers"], *pod["initContainers"]):
        assert each["securityContext"]["readOnlyRootFilesystem"]
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert ["ALL"] == each["securityContext"]["capabilities"]["drop"]
        assert "memory" in each["resources"]["limits"]


def test_probes_ask_health_from_inside(chart):
    """
    R18: alive is one question, ready another; neither opens a port without encryption.
    """
    found = container(chart)

    assert ["clientela", "health", "liveness", "--quiet"] == found["livenessProbe"]["exec"][
        "command"
    ]
    assert "readiness" in found["readinessProbe"]["exec"]["command"]
    assert {"grpc": 7443, "metrics": 9464} == {
        p["name"]: p["containerPort"] for p in found["ports"]
    }
    probe = found["livenessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 60


def test_no_secret_is_a_value(chart):
    """
    S9: secrets are named, never written; the only one in the environment is the URL, which names
    the file of the password.
    """
    found = container(chart, EVERYTHING)["env"]
    taken = {each["name"] for each in found if "valueFrom" in each}
    names = " ".join(each["name"] for each in found if "value" in each)

    assert {"CLIENTELA_DATABASE_URL"} == taken
    assert "PASSWORD" not in names


def test_pods_stop_after_balancers_know(chart):
    """
    R18: the pause before stopping and the time of calls under way fit into what the pod gets.
    """
    pod = objects(chart, {})["Deployment"]["spec"]["template"]["spec"]
    [pause] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1:]

    assert int(pause) + 40 <= pod["terminationGracePeriodSeconds"]


def test_only_named_ports_are_reached(chart):
    """
    S10: calls and figures in, name server, database, broker and collector out.
    """
    spec = objects(chart, {})["NetworkPolicy"]["spec"]
    inward = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
    outward = [port["port"] for rule in spec["egress"] for port in rule["ports"]]

    assert ["grpc", "metrics"] == inward
    assert [53, 53, 5432, 4222, 4317] == outward


def test_the_chart_is_of_the_release(deploy, chart):
    """
    Chart and package have one version.
    """
    project = tomllib.loads((deploy.parent / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    said = yaml.safe_load((deploy / "chart" / "Chart.yaml").read_text(encoding="utf-8"))

    assert project["version"] == said["appVersion"] == said["version"]
    assert f"clientela:{project['version']}" == container(chart)["image"]
