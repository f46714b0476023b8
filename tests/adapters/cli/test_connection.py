"""
How verbs reach a service.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.adapters.cli import connection
from clientela.adapters.cli.connection import connected
from clientela.adapters.cli.failure import VerbError
from clientela.adapters.cli.options import Way


FAR = "0.0.0.0"  # noqa: S104 (nobody listens there; it leads here, and does not look so)


@pytest.mark.parametrize(
    ("host", "begin"), [("127.0.0.1", b"PRI * HTTP/2"), ("localhost", b"PRI"), (FAR, b"\x16")]
)
async def test_nothing_leaves_the_machine_in_the_clear(host, begin, tmp_path, monkeypatch):
    """
    S1: a token goes to an address of another machine by TLS or not at all, whether or not somebody
    is named who signed the certificate.
    """
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    token = tmp_path / "token"
    token.write_text("secret")
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not came.done():
            came.set_result(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        way = Way(data_dir=tmp_path, target=f"{host}:{port}", token_file=token)
        with pytest.raises(VerbError) as refused:
            async with connected(way):
                pass

    assert (await came).startswith(begin)
    assert ("certificate" in refused.value.problem) == (begin == b"\x16")
