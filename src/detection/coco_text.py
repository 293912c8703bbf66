"""COCO's numbers as lines of text."""

from __future__ import annotations

from src.detection.coco_scores import CocoScores


def describe_scores(scores: CocoScores) -> str:
    """Return the twelve numbers and the AP of each class as lines of text."""
    numbers = scores.numbers
    lines = [
        f"{scores.images:,} images, AP, AP50, AP75: " + _listed(numbers, "ap", "ap50", "ap75"),
        "AP of small, medium, large objects: " + _listed(numbers, "ap_small", "ap_medium", "ap_large"),
        "recall with 1, 10, 100 objects an image: " + _listed(numbers, "ar1", "ar10", "ar100"),
        "recall of small, medium, large objects: " + _listed(numbers, "ar_small", "ar_medium", "ar_large"),
        "AP by class: " + ", ".join(f"{name} {_percent(value)}" for name, value in scores.classes.items()),
    ]
    return "\n".join(lines)


def _listed(numbers: dict[str, float], *names: str) -> str:
    return ", ".join(_percent(numbers[name]) for name in names)


def _percent(value: float) -> str:
    return "none" if value < 0 else f"{value:.2f} %"
