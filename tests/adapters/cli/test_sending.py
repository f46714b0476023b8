"""
What the summary of an import says when answers are lost.
"""

from __future__ import annotations

from typing import Any

import attrs

from clientela.adapters.cli.connection import Connection, unreachable
from clientela.adapters.cli.sending import Sender
from clientela.adapters.imports.document import mapping_from
from clientela.adapters.imports.mapping import Kind
from clientela.adapters.imports.reading import Source
from clientela.adapters.imports.tally import Rejects, Tally
from tests.adapters.cli.test_carrying import connected
from tests.adapters.imports.till import HEAD, MAPPING


SOLD = HEAD + "r1,7,tea,1,2.50,2026-03-02\nr2,8,tea,2,2.50,2026-03-02\n"


@attrs.frozen(kw_only=True)
class Losing(Connection):
    """
    A connection that is cut off after the service has done what it was asked for.

    Attributes:
        losses: Commands by name of whose calls the next answer is still to be lost.
    """

    losses: set[str]

    async def call(self, method: Any, request: Any, **more: Any) -> Any:
        """The answer to one request, unless it is lost."""
        answer = await super().call(method, request, **more)
        name = request.commands[0].WhichOneof("command")
        if name in self.losses:
            self.losses.remove(name)
            raise unreachable(self.target)
        return answer


async def sent(connection: Connection, file: Source, *losses: str) -> Tally:
    """What became of a till's file, an answer about each of these commands being lost."""
    tally = Tally()
    losing = Losing(
        channel=connection.channel,
        target=connection.target,
        metadata=connection.metadata,
        losses=set(losses),
    )
    sender = Sender(
        losing,
        file.mapping,
        file.digest,
        tally=tally,
        rejects=Rejects(None, file.path.name),
        creates_clients=True,
    )
    await sender.send(file.entries(), lambda _line: None)
    return tally


async def test_what_was_recorded_though_the_answer_was_lost_is_not_said_to_have_been_there(
    tmp_path,
):
    """
    REC-3: clients and rows of lost answers stand apart; without losses a first run has recorded
    all, and a second one finds all there.
    """
    path = tmp_path / "till.csv"
    path.write_text(SOLD)
    file = Source.of(path, mapping_from(MAPPING, Kind.PURCHASES))
    async with connected(tmp_path / "lost") as connection:
        lost = await sent(connection, file, "register_client", "record_purchase")
        again = await sent(connection, file)
    async with connected(tmp_path / "kept") as connection:
        kept = await sent(connection, file)

    assert [(0, 2, 0), (0, 0, 2), (2, 0, 0)] == [
        (tally.recorded, tally.unsure, tally.already) for tally in (lost, again, kept)
    ]
    assert [(0, 2), (0, 0), (2, 0)] == [
        (tally.clients, tally.clients_unsure) for tally in (lost, again, kept)
    ]
