"""
The way to a service: the one that runs over the data folder, or one of the verb's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import attrs
import grpc
import grpc.aio

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
from google.rpc.status_pb2 import Status

from clientela.adapters.addresses import found
from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import Way, text_of
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.files import DatabaseLockedError
from clientela.adapters.tokens.development import ACTOR_HEADER
from clientela.adapters.tokens.own import SECRET_HEADER


ACTOR = "service/cli"
"""Who the command line is where callers are believed."""

CALL_SECONDS = 30.0
"""How long one call may take."""

LONG_SECONDS = 1_800.0
"""How long a call may take that works on everything."""

CONNECT_SECONDS = 3.0
"""How long a service may take to be reached."""

TOKEN_BYTES_MAX = 16_384
"""Bytes of a token file that are read."""

CHANNEL_OPTIONS = (("grpc.max_receive_message_length", 4 * 1024 * 1024),)

Metadata = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class Connection:
    """
    A way to a service, open.

    Attributes:
        channel: To it.

        target: Its address.

        metadata: Shown with every call.

        is_private: Whether the service is the verb's own.
    """

    channel: grpc.aio.Channel
    target: str
    metadata: Metadata = attrs.field(repr=False)
    is_private: bool = False

    async def call(
        self,
        method: Callable[..., Any],
        request: Any,
        *,
        seconds: float = CALL_SECONDS,
        more: Metadata = (),
    ) -> Any:
        """
        The answer to one request.

        Raises:
            VerbError: it was refused, or the service cannot be reached.
        """
        try:
            return await method(request, timeout=seconds, metadata=(*self.metadata, *more))
        except grpc.aio.AioRpcError as error:
            raise refusal(error, self.target) from None

    async def stream(self, method: Callable[..., Any], request: Any) -> AsyncGenerator[Any]:
        """
        The answers to one request, one after the other.

        Raises:
            VerbError: as for `call`.
        """
        try:
            async for part in method(request, timeout=LONG_SECONDS, metadata=self.metadata):
                yield part
        except grpc.aio.AioRpcError as error:
            raise refusal(error, self.target) from None


@contextlib.asynccontextmanager
async def connected(way: Way) -> AsyncGenerator[Connection]:
    """
    A connection to the service that a verb is to talk to.

    Raises:
        VerbError: the one named does not answer, or there is nothing to work on.

        SettingError, StoreError, KeyFileError: none runs, and none can be started here.
    """
    settings = way.settings()
    target, is_encrypted = way.target, way.ca_file is not None or _is_far(way.target)
    if not target:
        said = found(settings.address_file)
        if said is not None and said.is_for_calls:
            is_encrypted = is_encrypted or said.is_encrypted
            async with _opened(way, settings, said.target, is_encrypted) as connection:
                if await _answers(connection.channel):
                    yield connection
                    return
        if not (way.may_begin or settings.database_url or settings.database.exists()):
            raise _nothing_there(settings)
        try:
            async with _own(settings, has_bus=way.has_bus) as connection:
                yield connection
        except DatabaseLockedError:
            if not is_encrypted or said is None:
                raise
            raise unreachable(said.target, is_encrypted=True) from None
        return
    async with _opened(way, settings, target, is_encrypted) as connection:
        if not await _answers(connection.channel):
            raise unreachable(target, is_encrypted=is_encrypted)
        yield connection


@contextlib.asynccontextmanager
async def _opened(
    way: Way, settings: Settings, target: str, is_encrypted: bool
) -> AsyncGenerator[Connection]:
    metadata: Metadata = ((ACTOR_HEADER, ACTOR),)
    if way.token_file is not None:
        token = text_of(way.token_file)[:TOKEN_BYTES_MAX].strip()
        metadata = (("authorization", f"Bearer {token}"),)
    if not is_encrypted:
        opened = grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    else:
        trusted = way.ca_file or settings.tls_certificate
        roots = None if trusted is None else trusted.read_bytes()
        credentials = grpc.ssl_channel_credentials(roots)
        opened = grpc.aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
    async with opened as channel:
        yield Connection(channel=channel, target=target, metadata=metadata)


@contextlib.asynccontextmanager
async def _own(settings: Settings, *, has_bus: bool) -> AsyncGenerator[Connection]:
    from clientela.adapters.bootstrap import private

    # What goes wrong is told by the verb.
    logging.getLogger("clientela").setLevel(logging.CRITICAL)
    async with private(settings, has_bus=has_bus) as running:
        metadata = ((ACTOR_HEADER, ACTOR), (SECRET_HEADER, running.secret))
        async with grpc.aio.insecure_channel(running.target, options=CHANNEL_OPTIONS) as channel:
            yield Connection(
                channel=channel, target=running.target, metadata=metadata, is_private=True
            )


def _is_far(target: str) -> bool:
    """Whether *target* is reached over a network, where no service speaks without TLS."""
    from clientela.services.server import Listener

    return bool(target) and not Listener(target).is_loopback


async def _answers(channel: grpc.aio.Channel) -> bool:
    """Whether a service is at the other end; one that was killed leaves its address behind."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await channel.channel_ready()
    except TimeoutError:
        return False
    return True


def unreachable(target: str, *, is_encrypted: bool = False) -> VerbError:
    """That nobody answers at *target*; nobody who can be believed, where that is asked for."""
    problem = f"no service answers at {target}"
    advice = (
        "Start one with `clientela serve`, or leave --address out to work on the files."
        " One that speaks TLS needs --ca-file."
    )
    if is_encrypted:
        problem += " with a certificate that is trusted here"
        advice = "Name with --ca-file who signed it, and see that the service runs."
    return VerbError(Exit.UNREACHABLE, problem, advice=advice)


def _nothing_there(settings: Settings) -> VerbError:
    problem = f"there is no database at {settings.database}, and no service runs"
    advice = "Name the folder with --data-dir or CLIENTELA_DATA_DIR; `clientela serve` makes one."
    return VerbError(Exit.FAILED, problem, advice=advice)


def refusal(error: grpc.aio.AioRpcError, target: str) -> VerbError:
    """What the command line makes of a call that failed."""
    known = refused(_status(error))
    if known.reason:
        return known
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        problem = f"the service at {target} answers no more"
        advice = "See that it runs, then run this again."
        return VerbError(Exit.UNREACHABLE, problem, advice=advice)
    reason = error.code().name
    text = error.details() or reason
    return VerbError(Exit.FAILED, text, advice=_ADVICE.get(reason, ""), reason=reason)


def refused(status: Status) -> VerbError:
    """What the command line makes of a refusal; without a reason where it says none."""
    info, violations, details = ErrorInfo(), dict[str, str](), dict[str, str]()
    for packed in status.details:
        bad, broken = BadRequest(), PreconditionFailure()
        if packed.Unpack(info):
            details.update(info.metadata)
        elif packed.Unpack(bad):
            violations.update((v.field, v.description) for v in bad.field_violations)
        elif packed.Unpack(broken):
            details.setdefault("rule", broken.violations[0].type)
    return VerbError(
        _EXITS.get(info.reason, Exit.FAILED),
        status.message,
        advice=_ADVICE.get(info.reason, ""),
        reason=info.reason,
        details={name: value for name, value in details.items() if name != "field"},
        violations=violations,
    )


_EXITS: Mapping[str, Exit] = {
    "BUS_UNAVAILABLE": Exit.UNREACHABLE,
    "STORE_UNAVAILABLE": Exit.UNREACHABLE,
}

_ADVICE: Mapping[str, str] = {
    "UNAUTHENTICATED": "Show a token of the issuer with --token-file.",
    "ACCESS_DENIED": "Ask for the permission named, or call as somebody who has it.",
    "CLOCK_REAL": "Start a new store with `clientela serve --virtual-clock --data-dir FOLDER`.",
    "INTERNAL": "The log of the service names the fault by this reference.",
    "UNIMPLEMENTED": "The service may be older than this command line: update it, or use its own.",
}


def _status(error: grpc.aio.AioRpcError) -> Status:
    found = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = Status()
    if isinstance(found, bytes):
        with contextlib.suppress(DecodeError):
            status.ParseFromString(found)
    return status
