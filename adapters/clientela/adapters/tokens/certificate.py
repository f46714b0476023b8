"""
Client certificates: services and partners, by the one URI in the subject alternative name.

The transport has verified the chain; here the name is looked up. The common name is not read.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509

from clientela.services.principal import Credentials, Principal
from clientela.services.refusals import UnauthenticatedError


class CertificateAuthenticator:
    """
    Tells who calls from a verified client certificate.

    Args:
        principals: Who is behind each URI, to the letter, and what was granted to them.
    """

    is_for_trials = False

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = dict(principals)

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        The principal whose URI the certificate bears.

        Raises:
            UnauthenticatedError: there is no certificate, or none of a known name.
        """
        if not credentials.certificate:
            raise UnauthenticatedError("none")
        names = _uris(credentials.certificate)
        principal = self._principals.get(names[0]) if len(names) == 1 else None
        if principal is None:
            raise UnauthenticatedError("certificate")
        return principal


def _uris(certificate: bytes) -> list[str]:
    try:
        extensions = x509.load_pem_x509_certificate(certificate).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)
