"""
Callers with certificates: a file that says who they are and what was granted to them.

    [[callers]]
    uri = "spiffe://example.com/till-7"     the one URI of the certificate
    actor = "service/till-7"                a service or a partner
    permissions = ["client.read", "purchase.write"]
    unit = "north"                          where these hold; left out for the whole company
"""

from __future__ import annotations

import tomllib

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clientela.domain.event import ActorKind
from clientela.domain.ids import Code, UnitId, is_id
from clientela.services.principal import Grant, Principal, parsed_actor


FILE_BYTES_MAX = 1_048_576
CALLERS_MAX = 10_000

_KEYS = {"uri", "actor", "permissions", "unit"}
_KINDS = {ActorKind.SERVICE, ActorKind.PARTNER}


class CallersError(Exception):
    """
    The file of callers must not be used.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"callers {path}: {problem}")


def callers_of(path: Path) -> Mapping[str, Principal]:
    """
    Who is behind each URI.

    Raises:
        CallersError: the file must not be used.
    """
    try:
        text = path.read_bytes()
        plain = tomllib.loads(text.decode()) if len(text) <= FILE_BYTES_MAX else {}
    except OSError as error:
        raise CallersError(path, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise CallersError(path, f"expected TOML: {type(error).__name__}") from None
    listed: Any = plain.get("callers")
    items: list[Any] = [*listed] if isinstance(listed, list) else []
    if plain.keys() != {"callers"} or not 1 <= len(items) <= CALLERS_MAX:
        raise CallersError(path, f"expected 1 to {CALLERS_MAX} tables [[callers]]")
    found: dict[str, Principal] = {}
    for place, item in enumerate(items):
        uri, principal = _caller(path, place, item)
        if uri in found:
            raise CallersError(path, f"callers[{place}].uri: another caller has it")
        found[uri] = principal
    return found


def _caller(path: Path, place: int, item: Any) -> tuple[str, Principal]:
    def refused(key: str, problem: str) -> CallersError:
        return CallersError(path, f"callers[{place}].{key}: {problem}")

    fields: dict[str, Any] = {**item} if isinstance(item, dict) else {}
    for key in fields.keys() - _KEYS:
        raise refused(key, "means nothing here")
    uri, unit, listed = fields.get("uri"), fields.get("unit"), fields.get("permissions")
    if not isinstance(uri, str) or ":" not in uri:
        raise refused("uri", "expected a URI")
    actor = parsed_actor(str(fields.get("actor", "")))
    if actor is None or actor.kind not in _KINDS:
        raise refused("actor", "expected service/<id> or partner/<id>")
    if unit is not None and not (isinstance(unit, str) and is_id(unit)):
        raise refused("unit", "expected the id of a unit")
    permissions: list[Any] = [*listed] if isinstance(listed, list) else []
    if not permissions or not all(isinstance(name, str) and name for name in permissions):
        raise refused("permissions", "expected permissions, such as client.read")
    unit_id = None if unit is None else UnitId(unit)
    grants = tuple(Grant(Code(name), unit_id) for name in permissions)
    return uri, Principal(actor=actor, grants=grants, unit_id=unit_id)
