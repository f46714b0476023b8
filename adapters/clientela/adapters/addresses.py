"""
Where a running service can be reached: written beside the database while it serves.
"""

from __future__ import annotations

import contextlib
import json
import os

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.roles import Role


FILE_BYTES_MAX = 4_096
"""Bytes of an address file that anybody reads."""


@attrs.frozen(kw_only=True)
class Address:
    """
    How a service is reached.

    Attributes:
        target: `host:port`.

        pid: Its process.

        is_encrypted: Whether it speaks TLS.

        health_port: Where on loopback it tells its health unencrypted; 0 for nowhere.

        only: The roles it has; empty for all.
    """

    target: str
    pid: int
    is_encrypted: bool = False
    health_port: int = 0
    only: tuple[str, ...] = ()

    @property
    def is_for_calls(self) -> bool:
        """Whether it answers calls; else only those about its health."""
        return not self.only or Role.SERVICE in self.only


@contextlib.contextmanager
def told(
    path: Path,
    target: str,
    *,
    is_encrypted: bool,
    health_port: int = 0,
    only: Sequence[Role] = (),
) -> Generator[None]:
    """While the block runs, say at *path* that this process is reached at *target*."""
    said: dict[str, object] = {"address": target, "pid": os.getpid(), "tls": is_encrypted}
    if health_port:
        said["health_port"] = health_port
    if only:
        said["only"] = [role.value for role in only]
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(said), encoding="utf-8")
    beside.replace(path)
    try:
        yield
    finally:
        # What another process has said since, which still runs, stays.
        own = found(path)
        if own is not None and (own.pid, own.target) == (os.getpid(), target):
            path.unlink(missing_ok=True)


def found(path: Path) -> Address | None:
    """
    What a service said at *path*; None if none did. Whether it still runs is another matter: one
    that was killed leaves its word behind.
    """
    try:
        with path.open("rb") as file:
            said: Any = json.loads(file.read(FILE_BYTES_MAX))
        target = str(said["address"])
        int(target.rpartition(":")[2])
        return Address(
            target=target,
            pid=int(said["pid"]),
            is_encrypted=bool(said["tls"]),
            health_port=int(said.get("health_port", 0)),
            only=tuple(map(str, said.get("only", ()))),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
