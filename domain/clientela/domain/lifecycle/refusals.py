"""
What the lifecycle refuses.

    RefusedError
      - NotByHandError          the model's stages follow from facts alone      LIFE-12
      - UndeclaredMoveError     no exit leads there                             LIFE-26
    InvalidValueError
      - BackdatedStageError     the stage would begin before the present one    LIFE-26
"""

from __future__ import annotations

from datetime import datetime

from clientela.domain.errors import InvalidValueError, RefusedError
from clientela.domain.ids import Code, Ref


class NotByHandError(RefusedError):
    """
    The stages of this model follow from facts; nobody sets them (LIFE-12).

    Attributes:
        model: Which model.
    """

    reason = "STAGE_NOT_BY_HAND"

    def __init__(self, model: Code) -> None:
        self.model = model
        super().__init__(f"stages of {model} follow from facts and are not set", rule="LIFE-12")

    def details(self) -> dict[str, str]:
        """Rule and model."""
        return {**super().details(), "model": self.model}


class UndeclaredMoveError(RefusedError):
    """
    The model declares no exit from the present stage to the one asked for (LIFE-26).

    Attributes:
        stage: The present stage.

        allowed: Stages that its exits lead to.
    """

    reason = "STAGE_UNDECLARED"

    def __init__(self, stage: Code, allowed: tuple[Code, ...], because: tuple[Ref, ...]) -> None:
        self.stage = stage
        self.allowed = allowed
        listed = ", ".join(allowed) or "nowhere"
        super().__init__(f"from {stage} a client goes to {listed}", rule="LIFE-26", because=because)

    def details(self) -> dict[str, str]:
        """Rule, present stage and where it leads."""
        return {**super().details(), "stage": self.stage, "allowed": ",".join(self.allowed)}


class BackdatedStageError(InvalidValueError):
    """
    A stage set by hand may not begin before the present one did (LIFE-26).

    Attributes:
        since: When the present stage began.
    """

    reason = "STAGE_BACKDATED"

    def __init__(self, since: datetime) -> None:
        self.since = since
        super().__init__("occurred_at", f"{since.isoformat()} or later")
