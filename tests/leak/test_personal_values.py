"""
No personal value stands in a file or in the text of an error; an erased client leaves none at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio
import pytest

from clientela.adapters.addresses import Address, found
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.copies import restore
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.vault import KeySession
from clientela.domain.codec import canonical
from clientela.domain.identity.profile import EraseClient, Profile
from clientela.domain.ids import (
    ClientId,
    Code,
    EventId,
    JournalId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import Personal, Sealed
from clientela.services.calls import Call
from clientela.services.cards import TOTALS
from tests.leak.people import PEOPLE, SELLER_NAMES, VALUES, Person, opening, refused, request_ids
from tests.leak.scanner import Leak, Scanner
from tests.system.story import Step, step
from tests.system.wire import LIMITS, METHODS, Service, Wire, request_of, served


AT_ONCE = 8
START_SECONDS_MAX = 60
REGION = "RU"
TRACES_MIN = 20
"""Of one client: key, phone, e-mail, card, tokens, fingerprints, masks."""

PLANTED = Scanner(VALUES)
ERASED, KEPT = PEOPLE[::2], PEOPLE[1::2]


@attrs.frozen
class Child:
    """
    A service in a process of its own, which can be killed.

    Attributes:
        process: It.

        wire: Calls it.
    """

    process: asyncio.subprocess.Process
    wire: Wire


@asynccontextmanager
async def child(folder: Path, *options: str) -> AsyncIterator[Child]:
    """A service over *folder*, which also holds what it prints and its temporary files."""
    data, temporary = folder / "data", folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    address = Settings(data_dir=data).address_file
    address.unlink(missing_ok=True)
    command = "serve", "--data-dir", str(data), "--port", "0", "--region", REGION, *options
    with (folder / "printed.log").open("ab") as printed:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "clientela.adapters.cli",
            *command,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONFAULTHANDLER": "1"},
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        target = (await _told(address)).target
        async with grpc.aio.insecure_channel(target, options=LIMITS) as channel:
            yield Child(process, Wire(channel))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _told(address: Path) -> Address:
    async with asyncio.timeout(START_SECONDS_MAX):
        while (said := await asyncio.to_thread(found, address)) is None:
            pass
        return said


@asynccontextmanager
async def here(folder: Path) -> AsyncIterator[Service]:
    """A service over *folder* in this process."""
    async with served(folder / "data", region=REGION) as service:
        yield service


def contents(folder: Path) -> dict[str, bytes]:
    """
    Every file below *folder* by its path.

    Another process reads it: closing a file ends all locks that this process has on it, those of
    SQLite included.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path): subprocess.run(["cat", path], stdout=subprocess.PIPE, check=True).stdout
        for path in files
    }


def leaks_in(folder: Path) -> tuple[Leak, ...]:
    """Planted values found in the files below *folder*, which this process may be serving."""
    found_in = (PLANTED.in_bytes(data, path) for path, data in contents(folder).items())
    return tuple(leak for leaks in found_in for leak in leaks)


async def load(wire: Wire, people: Iterable[Person]) -> None:
    """Record all of it, a few clients at once."""
    waiting = iter(tuple(people))

    async def one() -> None:
        for person in waiting:
            for each, request_id in request_ids(person):
                await wire.call(each.method, **each.fields, **request_id)

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))


async def begin(wire: Wire) -> None:
    """Open the shop."""
    for each in opening():
        await wire.call(each.method, **each.fields)


async def error_bytes(wire: Wire, method: str, raw: bytes) -> bytes:
    """Everything that a caller whose call is refused gets to see."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await wire.raw(method, raw)
    error = caught.value
    trailing = [
        value if isinstance(value, bytes) else str(value).encode()
        for _, value in error.trailing_metadata() or ()
    ]
    return b"\n".join((str(error).encode(), (error.details() or "").encode(), *trailing))


def refusals() -> Iterator[tuple[str, bytes]]:
    """Calls that are refused: by a rule, for a malformed value, for bytes that are no message."""
    for number, each in enumerate(refused()):
        named = "request_id" in METHODS[each.method].input_type.fields_by_name
        request_id = {"request_id": f"refused-{number}"} if named else {}
        raw = request_of(each.method, **each.fields, **request_id).SerializeToString()
        yield each.method, raw
        yield each.method, raw + b"\xff"
    # The request id of another call, with other values.
    again, same = next(request_ids(PEOPLE[0]))
    fields = {**again.fields, "details": {"name": PEOPLE[1].name}}
    yield again.method, request_of(again.method, **fields, **same).SerializeToString()


@attrs.frozen
class Loaded:
    """
    What a process left behind that recorded everything and was killed.

    Attributes:
        folder: Its files.

        leaks: Values found in them meanwhile.

        looks: How often they were looked through.

        said: What refused callers were told.
    """

    folder: Path
    leaks: tuple[Leak, ...]
    looks: int
    said: bytes


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A hundred clients, recorded by a process that was killed."""
    return asyncio.run(_loaded(tmp_path_factory.mktemp("loaded")))


async def _loaded(folder: Path) -> Loaded:
    leaks: list[Leak] = []
    looks = 0
    async with child(folder) as service:
        await begin(service.wire)
        loading = asyncio.ensure_future(load(service.wire, PEOPLE))
        while not loading.done():
            leaks += await asyncio.to_thread(PLANTED.in_tree, folder)
            looks += 1
        await loading
        said = [await error_bytes(service.wire, *call) for call in refusals()]
        service.process.send_signal(signal.SIGKILL)
        await service.process.wait()
    return Loaded(folder, tuple(leaks), looks, b"\n".join(said))


@pytest.fixture
def folder(loaded: Loaded, tmp_path: Path) -> Path:
    """A copy of what the killed process left."""
    return Path(shutil.copytree(loaded.folder, tmp_path / "shop"))


def ways(person: Person) -> Iterator[Mapping[str, Any]]:
    """How a client is looked for: otherwise than it was written, or by a part of it."""
    yield {"identifier": {"kind": "phone", "text": person.phone_otherwise}}
    yield {"identifier": {"kind": "email", "text": person.mail_otherwise}}
    yield {"name": person.family.upper()}
    yield {"name": f"{person.name.split()[1]} {person.given}"}
    yield {"card_number": person.card.replace(" ", "")}


async def sought(wire: Wire, by: Mapping[str, Any]) -> list[str]:
    """Ids of the clients found."""
    return [client.client_id for client in (await wire.call("FindClients", **by)).clients]


def test_no_value_is_in_a_file_or_an_error(loaded: Loaded):
    """
    S8, G27: the values of a hundred clients and of their sellers are found in no file while they
    are recorded, nor when the process is killed, nor in what refused callers are told.
    """
    assert loaded.looks > 1
    assert () == loaded.leaks
    assert () == PLANTED.in_bytes(loaded.said, "what callers are told")
    assert {"clientela.db", "clientela.db-wal", "keys.json", "printed.log"} <= {
        path.name for path in loaded.folder.rglob("*")
    }
    assert () == PLANTED.in_tree(loaded.folder)


async def test_clients_are_found_all_the_same(folder: Path):
    """
    S8: each client is found by phone and e-mail in another spelling, by words of the name and by
    card; looking for them leaves nothing behind either.
    """
    async with here(folder) as service:
        for person in PEOPLE:
            found_by = [await sought(service.wire, by) for by in ways(person)]
            assert [[person.client_id]] * len(found_by) == found_by
        shown = [await service.wire.call("GetEmployee", employee_id=each) for each in SELLER_NAMES]
        assert list(SELLER_NAMES.values()) == [employee.name for employee in shown]
        assert set() == await asyncio.to_thread(left_in, folder, await open_keys(service))
        assert () == await asyncio.to_thread(leaks_in, folder)
    assert () == await asyncio.to_thread(leaks_in, folder)


async def open_keys(service: Service) -> set[bytes]:
    """The keys of all clients as nothing but the process may have them."""
    store, ring = service.running.core.store, service.running.keeper.secrets.load()
    rows = [await store.key_row(client_journal(ClientId(p.client_id))) for p in PEOPLE]
    keys = {ring.unwrap(row).reveal() for row in rows if row is not None}
    assert len(PEOPLE) == len(keys)
    return keys


async def test_export_gathers_everything(folder: Path):
    """
    S9: what the company knows of a client is exported whole: names, identifiers, notes, cards; and
    nothing of anybody else.
    """
    async with here(folder) as service:
        for person in PEOPLE[:10]:
            text = await exported(service.wire, person)
            assert [] == [value for value in person.told if value.encode() not in text]
            others = {leak.name for leak in PLANTED.in_bytes(text, "export")} - person.values.keys()
            assert set() == others


async def erase(wire: Wire, person: Person) -> None:
    """Have a client erased."""
    request_id = f"erase-{person.client_id}"
    answer = await wire.call(
        "EraseClient", client_id=person.client_id, act="7", request_id=request_id
    )
    assert answer.HasField("erased_at")


async def exported(wire: Wire, person: Person) -> bytes:
    """The export of a client, as bytes."""
    parts = await wire.stream("ExportClient", client_id=person.client_id)
    return b"\n".join(part.SerializeToString() for part in parts)


async def test_erased_clients_leave_nothing(folder: Path):
    """
    S8: once an erasure is answered, no byte of the client's key, of the keyed hashes of identifiers
    and card, of tokens and fingerprints stands in the live files; the client is found no more, the
    export says so, stages, points and sums are what they were, and other clients are as before.
    """
    async with here(folder) as service:
        before = await Picture.of(service)
        traces = before.traces
        assert [] == [p for p in PEOPLE if not await asyncio.to_thread(stand_in, folder, traces[p])]

        for person in ERASED:
            await erase(service.wire, person)
            assert set() == await asyncio.to_thread(left_in, folder, traces[person])

        await check_erased(service, before)
        for each in heir(ERASED[0]):
            await service.wire.call(each.method, **each.fields)
    assert () == await asyncio.to_thread(leaks_in, folder)


async def test_restored_backup_forgets_again(folder: Path, tmp_path: Path):
    """
    S9: a backup from before the erasures is served only after they were carried out again: the same
    clients are erased, nothing of them is left, and everybody else is there.
    """
    backup = tmp_path / "backup"
    async with here(folder) as service:
        before = await Picture.of(service)
        await service.running.keeper.back_up(backup)
        for person in ERASED:
            await erase(service.wire, person)
        database = service.running.keeper.data_dir / "clientela.db"

    await asyncio.to_thread(restore, backup, database)

    of_all = set().union(*(before.traces[person] for person in ERASED))
    async with here(folder) as service:
        assert set() == await asyncio.to_thread(left_in, folder, of_all)
        await check_erased(service, before)
        assert set() == await asyncio.to_thread(left_in, folder, of_all)


def heir(person: Person) -> Iterator[Step]:
    """Somebody else gets the phone number and the card of an erased client."""
    phone = {"kind": "phone", "text": person.phone}
    card = {"card_id": "card-1", "number": person.card}
    yield step("RegisterClient", client_id="c-new", identifiers=[phone], request_id="heir-1")
    yield step("OpenWallet", client_id="c-new", request_id="heir-2")
    yield step("IssueCard", wallet_id="c-new", **card, request_id="heir-3")


async def check_erased(service: Service, before: Picture) -> None:
    """Check that half of the clients are erased and that nothing else has changed."""
    wire = service.wire
    for person in ERASED:
        assert [] == [found for by in ways(person) for found in await sought(wire, by)]
        first, *_ = await wire.stream("ExportClient", client_id=person.client_id)
        assert first.client.HasField("erased_at")
        assert () == PLANTED.in_bytes(await exported(wire, person), "export")
    for person in KEPT:
        assert [person.client_id] * 5 == [
            found for by in ways(person) for found in await sought(wire, by)
        ]
        text = await exported(wire, person)
        assert [] == [value for value in person.told if value.encode() not in text]
    after = await Picture.of(service)
    assert before.folded == after.folded
    assert before.totals == after.totals
    assert [] == [p for p in KEPT if not before.traces[p] <= after.traces[p]]


@attrs.frozen
class Picture:
    """
    What is known of all clients.

    Attributes:
        folded: What their journals come to, but for who they are and their cards.

        totals: Sums of the company.

        traces: What must be gone with each.
    """

    folded: Mapping[Person, bytes]
    totals: object
    traces: Mapping[Person, frozenset[bytes]]

    @classmethod
    async def of(cls, service: Service) -> Picture:
        """The present picture."""
        core = service.running.core
        await core.reads.catch_up_all()
        traces = await asyncio.to_thread(_traces, service.folder)
        return cls(
            folded={person: await _folded(service, person) for person in PEOPLE},
            totals=await core.reads.get(TOTALS, "company"),
            traces=traces,
        )


async def _folded(service: Service, person: Person) -> bytes:
    core = service.running.core
    client = client_journal(ClientId(person.client_id))
    view = await core.path.read(client, wallet_journal(WalletId(person.client_id)))
    codec = core.path.records.codec
    states = {
        kind.__name__: codec.plain(state)
        for journal in view.record.journals
        for kind, state in journal.states.items()
        if kind is not Profile
    }
    del states[Wallet.__name__]["cards"]
    return canonical(states)


_KEYS = """
SELECT key_rows.id, wrapped FROM key_rows WHERE kind = 'client' AND erased = 0
"""

_HASHES = """
SELECT id, value FROM keys
WHERE released = 0 AND scope IN ('phone', 'email', 'card')
UNION ALL
SELECT key, value FROM read_hashes JOIN read_rows ON read_row = read_rows.number
WHERE released = 0
"""

_FINGERPRINTS = "SELECT id, fingerprint FROM keys WHERE released = 0"

_MASKS = "SELECT id, mask FROM masks WHERE kind IN ('client', 'wallet')"


def _traces(data: Path) -> dict[Person, frozenset[bytes]]:
    """What must be gone with each client, read from the file itself."""
    found_of: dict[str, set[bytes]] = defaultdict(set)
    with closing(sqlite3.connect(f"file:{data}/clientela.db?mode=ro", uri=True)) as connection:
        for id_, wrapped in connection.execute(_KEYS):
            found_of[id_] |= {wrapped[:20], wrapped[-20:]}
        for id_, value in connection.execute(_HASHES):
            found_of[id_].add(value.encode())
        for id_, fingerprint in connection.execute(_FINGERPRINTS):
            pairs = dict(pair.split("=") for pair in fingerprint.split(",") if "=" in pair)
            pairs.pop("command", None)
            found_of[id_] |= {hash_.encode() for hash_ in pairs.values()}
        for id_, mask in connection.execute(_MASKS):
            found_of[id_].add(mask)
    counted = Counter(trace for traces in found_of.values() for trace in traces)
    return {
        # What several have in common tells of none: their seller, a mask of zeros.
        person: frozenset(t for t in found_of[person.client_id] if counted[t] == 1)
        for person in PEOPLE
    }


def left_in(folder: Path, traces: Iterable[bytes]) -> set[bytes]:
    """Those of *traces* that stand in a file."""
    files = contents(folder).values()
    return {trace for trace in traces if any(trace in data for data in files)}


def stand_in(folder: Path, traces: frozenset[bytes]) -> bool:
    """Whether there are traces of every kind and all of them stand in files."""
    return len(traces) >= TRACES_MIN and traces == left_in(folder, traces)


async def test_erasure_by_another_way_is_taken_in_by_the_next_read(folder: Path):
    """
    S8: an erasure that no caller of the service asked for leaves nothing behind once anybody has
    read, since a read model that takes it in clears the log of what its rows lost.
    """
    person = ERASED[0]
    async with here(folder) as service:
        traces = (await Picture.of(service)).traces[person]
        erasure = EraseClient(client_id=ClientId(person.client_id), act=Code("7"))
        await service.running.core.path.execute(erasure, Call())

        assert [] == await sought(service.wire, {"name": person.family})

        assert set() == await asyncio.to_thread(left_in, folder, traces)


async def test_erasure_is_answered_only_when_the_files_are_clear(folder: Path):
    """
    S8: while somebody's long look keeps erased bytes in the log, the caller of the erasure is told
    to try again, and so is who repeats it; the answer comes when nothing is left.
    """
    person = ERASED[0]
    async with here(folder) as service:
        traces = (await Picture.of(service)).traces[person]
        store = service.running.keeper.store
        assert isinstance(store, SqliteStore)
        writer = store._writer
        await writer.submit(lambda c: c.execute("PRAGMA busy_timeout = 20"), is_alone=True)
        with closing(sqlite3.connect(service.folder / "clientela.db")) as look:
            look.execute("BEGIN")
            look.execute("SELECT count(*) FROM keys").fetchall()
            for _ in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await erase(service.wire, person)
                assert grpc.StatusCode.UNAVAILABLE is caught.value.code()
        await erase(service.wire, person)

        assert set() == await asyncio.to_thread(left_in, folder, traces)


@pytest.mark.parametrize(
    ("field", "value"), [("note", "note"), ("number", "card"), ("details.name", "name")]
)
async def test_value_that_nobody_sealed_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: str
):
    """
    G27: the test is worth something: if one field of one event is not sealed, it turns red.
    """
    seal, open_ = KeySession.seal, KeySession.open

    def careless(
        session: KeySession, value: Personal, person: JournalId, source: EventId, at: Code
    ) -> Sealed:
        sealed = seal(session, value, person, source, at)
        return attrs.evolve(sealed, box=value.text) if at == field else sealed

    def opened(session: KeySession, sealed: Sealed) -> str | None:
        return sealed.box if sealed.field == field else open_(session, sealed)

    monkeypatch.setattr(KeySession, "seal", careless)
    monkeypatch.setattr(KeySession, "open", opened)
    async with here(tmp_path) as service:
        await begin(service.wire)
        await load(service.wire, PEOPLE[:3])

    leaks = await asyncio.to_thread(leaks_in, tmp_path)
    assert {f"{value} of {person.client_id}" for person in PEOPLE[:3]} <= {
        leak.name.replace(f"{value} 0", value) for leak in leaks
    }
