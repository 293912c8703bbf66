"""The reward of MnasNet and EfficientNet, which trades accuracy for multiply-adds."""

from __future__ import annotations

from src.search.study.trial import Result


def reward(result: Result, target_macs: float, exponent: float) -> float:
    """Return top-1 * (MACs / target)^exponent, in percent; nan if the training is not done.

    With the exponent -0.07 of both papers, twice the MACs need 5 % more accuracy for the same reward.
    """
    return result.accuracy * (result.macs / target_macs) ** exponent
