"""
Deadlines: every call has one, and none is longer than the service is willing to work.
"""

from __future__ import annotations

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

        seconds_min: With less left nothing is begun.
    """

    missing_seconds: float = 5.0
    seconds_max: float = 30.0
    stream_seconds_max: float = 1_800.0
    seconds_min: float = 0.02

    def seconds(self, remaining: float | None, call_class: CallClass) -> float:
        """
        How long a call may take.

        Args:
            remaining: Seconds left of the deadline it brought; None if it brought none.

            call_class: What kind of work it is.

        Raises:
            DeadlineError: too little is left to begin.
        """
        is_stream = call_class is CallClass.STREAM
        if remaining is None:
            return self.stream_seconds_max if is_stream else self.missing_seconds
        if remaining < self.seconds_min:
            raise DeadlineError
        return min(remaining, self.stream_seconds_max if is_stream else self.seconds_max)
