"""Print the summary of scripts/quickstart.sh: accuracy, training time and exported files of its run folder.

    python scripts/quickstart_summary.py RUN_FOLDER EXPORT

EXPORT is the exported files' path without suffix; its .json describes them.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any


def training_line(metrics: Path) -> str:
    """Return the number of epochs, their time in seconds without compilation, and the best speed."""
    with metrics.open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    timed = [row for row in epochs if row.get("seconds")]  # an epoch of one step may have no speed
    if not timed:
        return f"{len(epochs)} epochs"
    seconds = sum(float(row["seconds"]) for row in timed)
    speed = max(float(row["images_per_second"]) for row in timed)
    return f"{len(epochs)} epochs in {seconds:.0f} s (without compilation), up to {speed:.0f} images/s"


def export_line(file: Path) -> str:
    """Return the size of an exported file and how far its results are from the network's, 0 for equal ones."""
    described = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["files"][file.name]
    found = described["largest_difference"]  # of a detector, by output
    differences = found if isinstance(found, dict) else {"logits": found}
    words = [f"{name} {f'within {value:.0e}' if value else 'identical'}" for name, value in differences.items()]
    return f"{file.stat().st_size / 1e6:.2f} MB, {', '.join(words)}: {file}"


def program_line(folder: Path) -> str:
    """Return what the C++ program reached, in the folder of its results."""
    if not (folder / "score.json").exists():
        return "not built"
    score = json.loads((folder / "score.json").read_text(encoding="utf-8"))
    return f"AP {score['ap']:.2f} % with the ONNX file; {folder / 'objects.json'}, {folder / 'drawn'}"


def classifier_lines(run: Path, score: dict[str, Any]) -> dict[str, str]:
    """Return what is particular to the run of a classifier."""
    best = run / "checkpoints" / "best.ckpt"
    return {
        "accuracy": f"{score['top1']:.2f} % top-1 on {score['images']} images that training did not see",
        "pictures": f"{run / 'curves.png'}, {run / 'predictions.png'}",
        "next": f"python predict.py --ckpt {best} IMAGE   (first: source .venv/bin/activate)",
    }


def detector_lines(run: Path, score: dict[str, Any]) -> dict[str, str]:
    """Return what is particular to the run of a detector."""
    best = run / "checkpoints" / "best.ckpt"
    numbers = f"AP {score['ap']:.2f} %, AP50 {score['ap50']:.2f} %"
    return {
        "accuracy": f"{numbers} on {score['images']} scenes that training did not see",
        "C++ program": program_line(run / "cpp"),
        "pictures": f"{run / 'curves.png'}, {run / 'objects.png'}",
        "next": f"python detect.py predict --ckpt {best} IMAGE   (first: source .venv/bin/activate)",
    }


def summary(run: Path, export: Path) -> str:
    """Return the whole text, one line a result."""
    score = json.loads((run / "eval.json").read_text(encoding="utf-8"))
    is_detector = "ap" in score
    own = detector_lines(run, score) if is_detector else classifier_lines(run, score)
    lines = {
        "accuracy": own.pop("accuracy"),
        "training": training_line(run / "metrics.csv"),
        "MINDIR": export_line(export.with_suffix(".mindir")),
        "ONNX": export_line(export.with_suffix(".onnx")),
        "weights": str(run / "checkpoints" / "best.ckpt"),
        **own,
    }
    rows = [f"  {key:<12} {line}" for key, line in lines.items()]
    title = "SSDLite on TinyNet-E on scenes of digits" if is_detector else "TinyNet-E on handwritten digits"
    return "\n".join(["", title, *rows, ""])


def main() -> None:
    """Print the summary of the run folder that the command line names."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: quickstart_summary.py RUN_FOLDER EXPORT; got {len(sys.argv) - 1} arguments")
    print(summary(Path(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
