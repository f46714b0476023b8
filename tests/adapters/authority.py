"""
A certificate authority for tests.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates."""

    def __init__(self, name: str = "authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._serial = 0
        self.certificate = self._signed(self._name, self._key, (), is_authority=True)

    def issue(
        self,
        *names: x509.GeneralName,
        begins: timedelta = timedelta(hours=-1),
        ends: timedelta = timedelta(hours=1),
    ) -> tuple[bytes, bytes]:
        """Key and certificate, both PEM, with these alternative names, around now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whoever")])
        certificate = self._signed(subject, key, names, begins=begins, ends=ends)
        return _pem(key), certificate

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: tuple[x509.GeneralName, ...],
        *,
        begins: timedelta = timedelta(hours=-1),
        ends: timedelta = timedelta(hours=1),
        is_authority: bool = False,
    ) -> bytes:
        # The transport's own clock decides here, so real time it is.
        now = datetime.now(UTC)
        self._serial += 1
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(self._serial)
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def written(folder: Path, key: bytes, certificate: bytes) -> tuple[Path, Path]:
    """Files of a key and a certificate."""
    key_path, certificate_path = folder / "tls.key", folder / "tls.crt"
    key_path.touch(mode=0o600)
    key_path.write_bytes(key)
    certificate_path.write_bytes(certificate)
    return key_path, certificate_path
