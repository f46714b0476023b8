"""
Deadlines: every call has one, and none is longer than the service is willing to work.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from clientela.services.access import CallClass
from clientela.services.refusals import DeadlineError


@attrs.frozen(kw_only=True)
class DeadlineRules:
    """
    How long calls may take.

    Attributes:
        missing_seconds: What a call gets that brings none.

        seconds_max: What a longer one is cut to.

        stream_seconds_max: The same for streams; one that brings none gets it whole.

        methods: What longer ones are cut to, by full name of the rpc: work on everything kept.

        seconds_min: With less left nothing is begun.
    """

    missing_seconds: float = 5.0
    seconds_max: float = 30.0
    stream_seconds_max: float = 1_800.0
    methods: Mapping[str, float] = MappingProxyType(
        {
            "clientela.v1.InsightService.GetStats": 1_800.0,
            "clientela.v1.OperationService.AdvanceClock": 1_800.0,
            "clientela.v1.OperationService.Verify": 1_800.0,
            "clientela.v1.OperationService.RotateKeys": 1_800.0,
            "clientela.v1.OperationService.BackUp": 1_800.0,
        }
    )
    seconds_min: float = 0.02

    def seconds(self, remaining: float | None, call_class: CallClass, method: str = "") -> float:
        """
        How long a call may take.

        Args:
            remaining: Seconds left of the deadline it brought; None if it brought none.

            call_class: What kind of work it is.

            method: Full name of the rpc.

        Raises:
            DeadlineError: too little is left to begin.
        """
        is_stream = call_class is CallClass.STREAM
        if remaining is None:
            return self.stream_seconds_max if is_stream else self.missing_seconds
        if remaining < self.seconds_min:
            raise DeadlineError
        usual = self.stream_seconds_max if is_stream else self.seconds_max
        return min(remaining, self.methods.get(method, usual))
