"""
Many commands of old history in one call.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import urllib.request

from collections import Counter
from typing import Any

import attrs
import grpc.aio
import pytest

from google.rpc.error_details_pb2 import ErrorInfo
from prometheus_client.parser import text_string_to_metric_families

from clientela.services.access import AccessTable, CallClass
from clientela.services.admission import ROOMS
from clientela.services.audit import Audit
from clientela.services.calls import ContendedError
from clientela.services.history_service import CALLS_AT_ONCE, COMMANDS_MAX, HistoryServicer
from clientela.services.logs import EXTRA
from clientela.services.passage import own_principal
from clientela.services.refusals import OverloadedError
from clientela.services.request_context import RequestContext, enter
from clientela.services.scope import Reach
from clientela.services.store_errors import StoreUnavailableError
from clientela.v1 import history_pb2
from tests.system.production import bearer, company, denials, login, production
from tests.system.story import TOWN
from tests.system.wire import Service, path_of, request_of, served


TOLD = {"x-clientela-actor": "service/till", "x-clientela-clock": "occurred"}
"""A till that tells of what happened long ago, call by call."""

EURO = {"units": 7, "currency_code": "EUR"}


def day(number: int) -> dict[str, int]:
    """Noon of a day of September 2020."""
    return {"seconds": 1_598_961_600 + number * 86_400}


def registered(client_id: str, number: int) -> dict[str, Any]:
    """A client who came on that day."""
    return {
        "register_client": {
            "request_id": f"c-{client_id}",
            "client_id": client_id,
            "details": {"name": f"{client_id} Novak"},
            "occurred_at": day(number),
        }
    }


def bought(client_id: str, number: int, **more: Any) -> dict[str, Any]:
    """A purchase of that day."""
    line = {"line_id": "1", "sku": "tea", "quantity": 2, "net": EURO}
    return {
        "record_purchase": {
            "request_id": f"p-{client_id}-{number}",
            "client_id": client_id,
            "purchase": {"source": "till", "id": f"{client_id}-{number}"},
            "lines": [line],
            "occurred_at": day(number),
            **more,
        }
    }


def brought_back(client_id: str, number: int, sku: str) -> dict[str, Any]:
    """A return of that day."""
    return {
        "record_return": {
            "request_id": f"r-{client_id}-{number}",
            "client_id": client_id,
            "return_key": {"source": "till", "id": f"back-{client_id}-{number}"},
            "currency": "EUR",
            "lines": [{"quantity": 1, "sku": sku}],
            "occurred_at": day(number),
        }
    }


def called(client_id: str, number: int) -> dict[str, Any]:
    """A call of that day."""
    return {
        "record_interaction": {
            "request_id": f"i-{client_id}-{number}",
            "client_id": client_id,
            "channel": "phone",
            "direction": 1,
            "purpose": 2,
            "kind": "call",
            "occurred_at": day(number),
        }
    }


HISTORY = (
    registered("petra", 0),
    registered("pavel", 0),
    bought("petra", 0),
    called("pavel", 1),
    bought("pavel", 2),
    brought_back("petra", 3, "tea"),
    brought_back("pavel", 4, "hat"),
    bought("petra", 20),
)

METHODS = {
    "register_client": "RegisterClient",
    "record_purchase": "RecordPurchase",
    "record_return": "RecordReturn",
    "record_interaction": "RecordInteraction",
}


async def journals(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    """What every client's journals tell: name, payload, and when."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in await service.running.core.store.read_all(0):
        payload = json.loads(row.body)["payload"]
        # Sealed anew each time.
        told = "" if row.name.startswith("client-registered") else json.dumps(payload)
        found.setdefault(str(row.journal), []).append(
            (row.version, row.name, told, row.occurred_at, row.recorded_at)
        )
    return {name: rows for name, rows in found.items() if not name.startswith("definitions")}


def reason_of(result: history_pb2.HistoryResult) -> str:
    """Why a command was refused; empty where it was not."""
    info = ErrorInfo()
    for packed in result.refusal.details:
        packed.Unpack(info)
    return str(info.reason)


async def test_a_history_in_one_call_is_what_its_commands_are_alone(tmp_path):
    """
    REC-3: names, payloads, times and versions are those of single calls in the same order, the
    answers too; a repeat finds everything done.
    """
    async with served(tmp_path / "one", virtual_clock=True) as service:
        await service.wire.call("ApplyDefinitions", toml=TOWN)
        alone = [
            await service.wire.acting(TOLD).call(METHODS[name], **fields)
            for command in HISTORY
            for name, fields in command.items()
        ]
        expected = await journals(service)
    async with served(tmp_path / "many", virtual_clock=True) as service:
        await service.wire.call("ApplyDefinitions", toml=TOWN)
        first = (await service.wire.call("RecordHistory", commands=HISTORY)).results
        made = await journals(service)
        again = (await service.wire.call("RecordHistory", commands=HISTORY)).results

        assert made == await journals(service)
    assert expected == made
    assert [answer.outcome for answer in alone] == [result.outcome for result in first]
    assert [True] * len(HISTORY) == [result.outcome.replayed for result in again]
    assert [0, 0, 0, 0, 0, 0, 1, 0] == [result.unmatched_lines for result in first]
    clients = [next(iter(command.values()))["client_id"] for command in HISTORY]
    assert clients == [result.client_id for result in first]


async def test_a_refused_command_stands_alone(tmp_path):
    """
    What is refused changes nothing and holds up nobody; each says what the rpc would have said.
    """
    async with served(tmp_path) as service:
        commands = [
            registered("petra", 0),
            bought("petra", 0, lines=[]),
            bought("petra", 1, occurred_at=None),
            {},
            bought("nobody", 1),
            bought("petra", 2),
        ]

        results = (await service.wire.call("RecordHistory", commands=commands)).results

        reasons = [reason_of(result) for result in results]
        assert ["", "INVALID_VALUE", "INVALID_VALUE", "INVALID_VALUE", "NOT_FOUND", ""] == reasons
        assert [True, False, False, False, False, True] == [
            bool(result.outcome.events) for result in results
        ]


def commands_of(port: int) -> dict[tuple[str, str, str], float]:
    """Commands that calls brought along by method, code and reason, as Prometheus reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {
        (sample.labels["method"], sample.labels["code"], sample.labels["reason"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "clientela_history_commands_total"
    }


async def test_refused_commands_are_seen_by_whoever_watches(tmp_path, caplog):
    """
    Issue 3, 8: a call that is answered with refusals shows in figures by method, code and reason,
    and in one line for each kind, without the ids of requests and clients.
    """
    caplog.set_level(logging.INFO, "clientela.calls")
    async with served(tmp_path, metrics_port=0) as service:
        commands = [
            registered("petra", 0),
            *(bought(f"nobody-{number}", number) for number in range(3)),
            bought("petra", 1, lines=[]),
            {},
        ]

        await service.wire.call("RecordHistory", commands=commands)

        counted = await asyncio.to_thread(commands_of, service.running.metrics_port)
    buy, missing = "/clientela.v1.PurchaseService/RecordPurchase", ("NOT_FOUND", "NOT_FOUND")
    wrong, whole = ("INVALID_ARGUMENT", "INVALID_VALUE"), path_of("RecordHistory")
    assert {
        (path_of("RegisterClient"), "OK", ""): 1,
        (buy, *missing): 3,
        (buy, *wrong): 1,
        (whole, *wrong): 1,
    } == counted
    told = [getattr(record, EXTRA) for record in caplog.records]
    assert {
        (buy, *missing, 3),
        (buy, *wrong, 1),
        (whole, *wrong, 1),
        (whole, "OK", None, 6),
    } == {(f["method"], f["code"], f.get("reason"), f["count"]) for f in told}
    assert not [each for each in ("petra", "nobody") if each in f"{told}{caplog.text}"]


@pytest.mark.parametrize("count", [0, COMMANDS_MAX + 1])
async def test_a_call_has_a_bounded_number_of_commands(tmp_path, count):
    """
    R20: none is a mistake, and more than there may be are refused before any is carried out.
    """
    async with served(tmp_path) as service:
        refusal = await service.wire.refused("RecordHistory", commands=[bought("p", 0)] * count)

        assert ("INVALID_VALUE", "commands") == (refusal.reason, refusal.metadata["field"])


def recorded(journals_: dict[str, list[tuple[Any, ...]]], client_id: str) -> list[str]:
    """Identities of the purchases in a client's journal, in its order."""
    rows = journals_.get(f"client/{client_id}", [])
    payloads = [json.loads(told) for _, name, told, *_ in rows if name == "purchase-recorded.v1"]
    return [payload["purchase"] for payload in payloads]


async def test_one_request_id_is_one_command_within_a_call_too(tmp_path):
    """
    G1: a command that stands twice in a call is carried out once; of different ones under the same
    request id one is, whichever client they name.
    """
    clients = [f"c{number}" for number in range(8)]
    async with served(tmp_path) as service:
        await service.wire.call("RecordHistory", commands=[registered(each, 0) for each in clients])
        commands = [
            bought("c0", 1),
            bought("c0", 1),
            bought("c0", 2, request_id="p-c0-1"),
            *(bought(each, 3, request_id="same") for each in clients),
        ]

        results = (await service.wire.call("RecordHistory", commands=commands)).results

        twice, same = results[:3], results[3:]
        assert ["", "", "IDEMPOTENCY_MISMATCH"] == list(map(reason_of, twice))
        assert [False, True] == [result.outcome.replayed for result in twice[:2]]
        assert {"": 1, "IDEMPOTENCY_MISMATCH": 7} == Counter(map(reason_of, same))
        made = await journals(service)
        assert 2 == sum(len(recorded(made, each)) for each in clients)


async def test_trials_and_etags_are_what_they_are_alone(tmp_path):
    """
    A trial changes nothing, also for those behind it; an etag holds for one of two.
    """
    async with served(tmp_path) as service:
        begun = [registered("petra", 0), bought("petra", 1)]
        first = (await service.wire.call("RecordHistory", commands=begun)).results
        etag = first[1].outcome.etag
        commands = [
            bought("petra", 2, validate_only=True),
            bought("petra", 2, etag=etag),
            bought("petra", 3, etag=etag),
        ]

        results = (await service.wire.call("RecordHistory", commands=commands)).results

        assert ["", "", "ETAG_MISMATCH"] == list(map(reason_of, results))
        assert [False, True] == [bool(result.outcome.events) for result in results[:2]]
        assert ["till:petra-1", "till:petra-2"] == recorded(await journals(service), "petra")


@pytest.mark.parametrize("seconds", [0.02, 0.1])
async def test_a_call_that_ends_in_the_middle_is_repeated_without_harm(tmp_path, seconds):
    """
    F26: a call whose time is over, one whose caller hangs up and two repeats at the same time come
    to every purchase once, in the order of each client.
    """
    clients = [f"c{number}" for number in range(4)]
    async with served(tmp_path) as service:
        await service.wire.call("RecordHistory", commands=[registered(each, 0) for each in clients])
        commands = [bought(each, number) for number in range(1, 26) for each in clients]
        request = request_of("RecordHistory", commands=commands)
        hurried = attrs.evolve(service.wire, seconds=seconds)
        with contextlib.suppress(grpc.aio.AioRpcError):
            await hurried.send("RecordHistory", request)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(service.wire.send("RecordHistory", request), seconds)

        answers = await asyncio.gather(
            *(service.wire.send("RecordHistory", request) for _ in range(2))
        )

        assert {""} == {reason_of(result) for answer in answers for result in answer.results}
        made = await journals(service)
        for each in clients:
            expected = [f"till:{each}-{number}" for number in range(1, 26)]
            assert expected == recorded(made, each)


async def test_each_command_needs_its_own_permission_and_reach(tmp_path):
    """
    OWN-7, OWN-15: bringing a command along gives nobody more than calling its rpc would.
    """
    issuer = login()
    permissions = ["history.write", "purchase.write"]
    seller, clerk = (
        issuer.token("partner", name, clientela_permissions=granted, clientela_units=["north"])
        for name, granted in (("shop", permissions), ("clerk", [*permissions, "client.write"]))
    )
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        commands = [
            registered("lena", 40),
            called("petra", 40),
            bought("pavel", 40),
            bought("petra", 40),
        ]

        sold, entered = [
            await service.wire.acting(bearer(token)).call("RecordHistory", commands=told)
            for token, told in ((seller, commands), (clerk, commands[::-1]))
        ]

        denied = "ACCESS_DENIED"
        assert [denied, denied, "NOT_FOUND", ""] == [reason_of(each) for each in sold.results]
        assert ["", "NOT_FOUND", denied, ""] == [reason_of(each) for each in entered.results]
    noted = await denials(tmp_path, issuer)
    assert {
        ("partner/shop", "RegisterClient", "ACCESS_DENIED"): 1,
        ("partner/shop", "RecordInteraction", "ACCESS_DENIED"): 1,
        ("partner/shop", "RecordPurchase", "NOT_FOUND"): 1,
        ("partner/clerk", "RecordInteraction", "ACCESS_DENIED"): 1,
        ("partner/clerk", "RecordPurchase", "NOT_FOUND"): 1,
    } == dict(noted)


class Faltering:
    """The command path of a service, which fails at the second purchase of Petra if at all."""

    def __init__(self, path: Any, error: Exception | None = None) -> None:
        self._path = path
        self._error = error
        self.hints: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._path, name)

    async def execute(self, command: Any, call: Any) -> Any:
        self.hints.append(call.is_likely_repeat)
        if self._error is not None and call.request_id == "p-petra-1":
            raise self._error
        return await self._path.execute(command, call)


class Gate:
    """The command path of a service, which opens when it is told to."""

    def __init__(self, path: Any) -> None:
        self._path = path
        self.is_open = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._path, name)

    async def execute(self, command: Any, call: Any) -> Any:
        self.waiting.release()
        await self.is_open.wait()
        return await self._path.execute(command, call)


def servicer_over(service: Service, path: Any) -> HistoryServicer:
    """A servicer that goes by *path*, and a till's call for it to answer."""
    core = service.running.core
    [access] = AccessTable.of_services(["clientela.v1.HistoryService"])
    enter(
        RequestContext(
            principal=own_principal("till", tells_history=True),
            access=access,
            reach=Reach(is_whole=True),
            shows_personal=False,
            deadline=0.0,
            correlation_id="c",
        )
    )
    return HistoryServicer(attrs.evolve(core, path=path), Audit(core.store, core.clock))


async def told(service: Service, path: Any, times: int = 1) -> list[str]:
    """Why each of three purchases of two clients was refused, told so often over *path*."""
    servicer = servicer_over(service, path)
    for client_id in ("petra", "pavel"):
        await service.wire.call("RegisterClient", client_id=client_id, occurred_at=day(0))
    request = history_pb2.RecordHistoryRequest(
        commands=[
            history_pb2.HistoryCommand(**bought(client_id, number))
            for number in range(3)
            for client_id in ("petra", "pavel")
        ]
    )
    reasons: list[str] = []
    for _ in range(times):
        answer = await servicer.RecordHistory(request, None)
        reasons = list(map(reason_of, answer.results))
    return reasons


async def test_nothing_overtakes_what_may_yet_be_carried_out(tmp_path):
    """
    After a conflict those behind it of the same client are not tried, so that sent again they keep
    their order; other clients go on.
    """
    async with served(tmp_path) as service:
        path = Faltering(service.running.core.path, ContendedError())

        conflict = "VERSION_CONFLICT"
        assert ["", "", conflict, "", conflict, ""] == await told(service, path)


async def test_a_store_that_fails_fails_the_call(tmp_path):
    """
    What is no refusal is told as what it is, once, and not of a command.
    """
    async with served(tmp_path) as service:
        path = Faltering(service.running.core.path, StoreUnavailableError("gone"))

        with pytest.raises(StoreUnavailableError):
            await told(service, path)


async def test_histories_leave_room_for_others(tmp_path):
    """
    R20: so many calls are carried out at once that clients of each could be; one more is refused
    before it begins and takes no room from tills, and is taken when another has ended.
    """
    async with served(tmp_path) as service:
        await service.wire.call("RegisterClient", client_id="petra", occurred_at=day(0))
        gate = Gate(service.running.core.path)
        servicer = servicer_over(service, gate)
        requests = [
            history_pb2.RecordHistoryRequest(
                commands=[history_pb2.HistoryCommand(**bought("petra", number))]
            )
            for number in range(CALLS_AT_ONCE + 1)
        ]
        *many, last = requests
        under_way = [asyncio.create_task(servicer.RecordHistory(each, None)) for each in many]
        async with asyncio.timeout(60):
            for _ in many:
                await gate.waiting.acquire()
            with pytest.raises(OverloadedError):
                await servicer.RecordHistory(last, None)
            gate.is_open.set()
            answers = await asyncio.gather(*under_way)
            answers.append(await servicer.RecordHistory(last, None))

    assert [""] * len(requests) == [reason_of(answer.results[0]) for answer in answers]
    assert CALLS_AT_ONCE <= ROOMS[CallClass.COMMAND].running_max // 2


async def test_who_repeats_is_taken_to_go_on(tmp_path):
    """
    Once a command was found done, the next ones are looked up first.
    """
    async with served(tmp_path) as service:
        path = Faltering(service.running.core.path)

        assert [""] * 6 == await told(service, path, times=2)
        assert [False] * 6 + [False] * 2 + [True] * 4 == path.hints
