"""
A personal value under a person's key, bound to person, event and field.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.adapters.keys.box import BoxError, bound, opened, shut
from clientela.adapters.keys.failures import SealBrokenError
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code, EventId, JournalId
from clientela.domain.personal import TEXT_LENGTH_MAX, Personal, Sealed


# A lone surrogate is no valid text, but an encoder that refuses it puts the text into its error.
_SURROGATES = "surrogatepass"


def sealed_with(
    cipher: AESGCM, value: Personal, person: JournalId, source: EventId, field: Code
) -> Sealed:
    """
    *value* sealed for *person*, *source* and *field*.

    Raises:
        InvalidValueError: it is longer than `TEXT_LENGTH_MAX`.
    """
    if len(value.text) > TEXT_LENGTH_MAX:
        raise InvalidValueError(field, f"at most {TEXT_LENGTH_MAX} characters")
    plain = value.text.encode("utf-8", _SURROGATES)
    box = shut(cipher, plain, _binding(person, source, field))
    return Sealed(person, source, field, base64.urlsafe_b64encode(box).decode().rstrip("="))


def opened_with(cipher: AESGCM, sealed: Sealed) -> str:
    """
    The value in *sealed*.

    Raises:
        SealBrokenError: it was changed, moved, or sealed with another key.
    """
    try:
        box = _unpadded(sealed.box)
        plain = opened(cipher, box, _binding(sealed.person, sealed.source, sealed.field))
    except (BoxError, ValueError):
        raise SealBrokenError(sealed) from None
    return plain.decode("utf-8", _SURROGATES)


def _binding(person: JournalId, source: EventId, field: Code) -> bytes:
    return bound("value", str(person), source, field)


def _unpadded(text: str) -> bytes:
    """Bytes of base64url without padding; of several texts for the same bytes only one is taken."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise binascii.Error
    return raw
