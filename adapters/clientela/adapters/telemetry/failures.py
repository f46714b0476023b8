"""
What may go wrong with what the service tells about itself.

    TelemetryError
      - ExpositionError   figures cannot be handed out as the settings want it
"""

from __future__ import annotations


class TelemetryError(Exception):
    """The service cannot tell about itself as it is told to."""


class ExpositionError(TelemetryError):
    """
    Figures cannot be handed out as the settings want it.

    Attributes:
        address: Where.
    """

    def __init__(self, address: str, problem: str) -> None:
        self.address = address
        super().__init__(f"figures cannot be handed out at {address}: {problem}")
