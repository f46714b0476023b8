"""
Makes the identities of a broker: an operator, two accounts, and a user for each part that connects.

    python deploy/nats/identities.py FOLDER

writes into FOLDER, which must not hold any yet:

    auth.conf             what the broker knows: public keys and claims, no secret
    service.creds         the service: publishes events, reads them back, takes messages in
    subscriber.creds      who follows events, and publishes nothing
    sender.creds          who sends purchases, returns, interactions and visits in
    provisioner.creds     who makes, changes and purges streams; keep it apart
    system.creds          who looks at the broker itself; keep it apart
    operator.seed, account.seed, system.seed    sign further users; keep them offline

Nobody but the provisioner changes a stream, so no process that runs can lose an event. The format
is the one of nats.io: claims as JSON, signed with Ed25519. Needs `cryptography`, which
Clientela brings.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import sys
import time

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


OPERATOR, ACCOUNT, USER, SEED = (letter << 3 for letter in (14, 0, 20, 18))
"""First byte of a key: its five upper bits give the letter O, A, U or S."""

EVENTS_STREAM, INBOUND_STREAM = "clientela", "clientela-in"

EVENTS, INBOUND, INBOX = "clientela.v1.>", "clientela.in.v1.>", "_INBOX.>"


def reading(stream: str) -> tuple[str, ...]:
    """
    What it takes to read a stream, with consumers of one's own.

    Args:
        stream: Which one; of others nothing can be read, and no consumer deleted.
    """
    return (
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.INFO.{stream}.>",
        f"$JS.API.CONSUMER.NAMES.{stream}",
        f"$JS.API.CONSUMER.LIST.{stream}",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.>",
        f"$JS.API.CONSUMER.DELETE.{stream}.>",
        f"$JS.ACK.{stream}.>",
        f"$JS.FC.{stream}.>",
    )


ERASING = f"$JS.API.STREAM.MSG.DELETE.{INBOUND_STREAM}"
"""What it takes to overwrite a message that bore personal values, once it is carried out."""

SERVICE = (EVENTS, *dict.fromkeys((*reading(EVENTS_STREAM), *reading(INBOUND_STREAM))), ERASING)

USERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "service": (SERVICE, (INBOX,)),
    "subscriber": (reading(EVENTS_STREAM), (INBOX,)),
    "sender": ((INBOUND,), (INBOX,)),
    "provisioner": ((EVENTS, INBOUND, "$JS.API.>", "$JS.ACK.>"), (INBOX, EVENTS)),
}
"""What each user of the account may publish, and subscribe to."""


class Key:
    """
    A key pair.

    Args:
        kind: `OPERATOR`, `ACCOUNT` or `USER`.
    """

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._private = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """The public key, as the broker names it."""
        return _text(bytes((self._kind,)) + self._private.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        """The private key."""
        head = bytes((SEED | self._kind >> 5, (self._kind & 31) << 3))
        return _text(head + self._private.private_bytes_raw())

    def signed(self, name: str, subject: str, claims: dict[str, Any]) -> str:
        """
        Claims about *subject*, under this key.

        Args:
            name: What the subject is called.

            subject: Its public key.

            claims: What is said of it.
        """
        body = {
            "iat": int(time.time()),
            "iss": self.public,
            "name": name,
            "nats": {**claims, "version": 2},
            "sub": subject,
        }
        digest = hashlib.new("sha512_256", _json(body)).digest()
        body["jti"] = base64.b32encode(digest).decode().rstrip("=")
        head = _bare(_json({"typ": "JWT", "alg": "ed25519-nkey"}))
        text = f"{head}.{_bare(_json(body))}"
        return f"{text}.{_bare(self._private.sign(text.encode()))}"


def made() -> dict[str, str]:
    """Every file by its name."""
    operator, system, account = Key(OPERATOR), Key(ACCOUNT), Key(ACCOUNT)
    claims = {"type": "operator", "system_account": system.public}
    preload = {
        system.public: operator.signed("SYS", system.public, _account(has_streams=False)),
        account.public: operator.signed("CLIENTELA", account.public, _account(has_streams=True)),
    }
    lines = [
        "# Made by identities.py; holds no secret.",
        f"operator: {operator.signed('clientela', operator.public, claims)}",
        f"system_account: {system.public}",
        "resolver: MEMORY",
        "resolver_preload: {",
        *(f"  {key}: {token}" for key, token in preload.items()),
        "}",
    ]
    files = {
        "auth.conf": "\n".join(lines) + "\n",
        "operator.seed": f"{operator.seed}\n",
        "account.seed": f"{account.seed}\n",
        "system.seed": f"{system.seed}\n",
        "system.creds": credentials(system, "system", (">",), (">",)),
    }
    for name, (publish, subscribe) in USERS.items():
        files[f"{name}.creds"] = credentials(account, name, publish, subscribe)
    return files


def credentials(
    account: Key, name: str, publish: tuple[str, ...], subscribe: tuple[str, ...]
) -> str:
    """The credentials file of a new user of *account*."""
    user = Key(USER)
    claims = {
        "type": "user",
        "pub": {"allow": list(publish)},
        "sub": {"allow": list(subscribe)},
        "subs": -1,
        "data": -1,
        "payload": -1,
    }
    return "\n".join(
        (
            "-----BEGIN NATS USER JWT-----",
            account.signed(name, user.public, claims),
            "------END NATS USER JWT------",
            "",
            "-----BEGIN USER NKEY SEED-----",
            user.seed,
            "------END USER NKEY SEED------",
            "",
        )
    )


def _account(*, has_streams: bool) -> dict[str, Any]:
    storage = {"mem_storage": 0, "disk_storage": -1, "streams": -1, "consumer": -1}
    limits = {
        "subs": -1,
        "data": -1,
        "payload": -1,
        "imports": -1,
        "exports": -1,
        "wildcards": True,
        "conn": -1,
        "leaf": -1,
    }
    return {"type": "account", "limits": {**limits, **(storage if has_streams else {})}}


def _text(raw: bytes) -> str:
    check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + check).decode().rstrip("=")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _bare(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def main() -> int:
    """Write the files; how the process ends."""
    match sys.argv[1:]:
        case [name]:
            return written(Path(name))
        case _:
            print(__doc__)
            return 2


def written(folder: Path) -> int:
    """Write the files into *folder*; 1 if there are some already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = made()
    for name in files:
        if (folder / name).exists():
            print(f"{folder / name} is there already: name another folder", file=sys.stderr)
            return 1
    for name, text in files.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        mode = 0o644 if name == "auth.conf" else 0o600
        with os.fdopen(os.open(folder / name, flags, mode), "w", encoding="utf-8") as file:
            file.write(text)
    print(f"Wrote {len(files)} files into {folder}; keep the seeds offline.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
