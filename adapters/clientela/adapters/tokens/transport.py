"""
Transport credentials from files, read again when they change: certificates rotate without a stop.
"""

from __future__ import annotations

import logging
import stat

from collections.abc import Callable
from pathlib import Path
from typing import cast

import attrs
import grpc


_LOG = logging.getLogger(__name__)


class TransportFileError(Exception):
    """
    A file of the transport must not be used.

    Attributes:
        path: Which one.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


@attrs.frozen(kw_only=True)
class TransportFiles:
    """
    Where the server's certificate is, and who may come with one.

    Attributes:
        certificate: The server's chain, PEM.

        key: Its private key, PEM; not for others to read.

        client_authority: The authorities whose certificates callers must show, PEM; None lets
            callers come without one.
    """

    certificate: Path
    key: Path
    client_authority: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """
        Credentials that follow the files.

        Raises:
            TransportFileError: a file cannot be read, or the key is exposed.
        """
        return grpc.dynamic_ssl_server_credentials(
            self.configuration(),
            # None, for no change, is what the stubs forget.
            cast("Callable[[], grpc.ServerCertificateConfiguration]", _Follower(self).changed),
            require_client_authentication=self.client_authority is not None,
        )

    def stamps(self) -> tuple[tuple[int, int], ...]:
        """What the files look like; another value when one has changed."""
        paths = (self.certificate, self.key, self.client_authority)
        statuses = [path.stat() for path in paths if path is not None]
        return tuple((status.st_ino, status.st_mtime_ns) for status in statuses)

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """
        The files as they are now.

        Raises:
            TransportFileError: one cannot be read, or the key is exposed.
        """
        authority = self.client_authority
        _check_hidden(self.key)
        return grpc.ssl_server_certificate_configuration(
            [(_read(self.key), _read(self.certificate))],
            root_certificates=None if authority is None else _read(authority),
        )


class _Follower:
    """Tells the transport when the files have changed."""

    def __init__(self, files: TransportFiles) -> None:
        self._files = files
        self._stamps = files.stamps()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What is new; None if nothing is, or if it cannot be used yet."""
        try:
            stamps = self._files.stamps()
            if stamps == self._stamps:
                return None
            configuration = self._files.configuration()
        except (TransportFileError, OSError):
            _LOG.error("the new certificate cannot be used; the old one stays")
            return None
        self._stamps = stamps
        return configuration


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TransportFileError(path, f"cannot be read: {error.strerror}") from None


def _check_hidden(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise TransportFileError(path, f"cannot be read: {error.strerror}") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise TransportFileError(path, f"others can read it; run `chmod 600 {path}`")
