"""
What recording contacts refuses.

    RefusedError
      - SalesApproachError      a sales contact of ours is an approach   OWN-10
      - NoConflictError         there is no open conflict to resolve     LIFE-21
"""

from __future__ import annotations

from clientela.domain.errors import RefusedError


class SalesApproachError(RefusedError):
    """An outbound sales contact is asked for as an approach, since it is reserved to the owner."""

    reason = "SALES_APPROACH"

    def __init__(self) -> None:
        super().__init__(
            "a sales contact of ours is an approach: ask for it with Approach", rule="OWN-10"
        )


class NoConflictError(RefusedError):
    """There is no open conflict to resolve (LIFE-21)."""

    reason = "NO_CONFLICT"

    def __init__(self) -> None:
        super().__init__("no conflict with this client is open", rule="LIFE-21")
