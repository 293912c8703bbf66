"""Print the summary of scripts/quickstart.sh: accuracy, training time and exported files of its run folder.

    python scripts/quickstart_summary.py RUN_FOLDER EXPORT

EXPORT is the exported files' path without suffix; its .json describes them.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


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
    """Return the size of an exported file and how far its logits are from the network's, from 0 for equal ones."""
    described = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["files"][file.name]
    difference: float = described["largest_difference"]
    logits = f"within {difference:.0e}" if difference else "identical"
    return f"{file.stat().st_size / 1e6:.2f} MB, logits {logits}: {file}"


def summary(run: Path, export: Path) -> str:
    """Return the whole text, one line a result."""
    score = json.loads((run / "eval.json").read_text(encoding="utf-8"))
    best = run / "checkpoints" / "best.ckpt"
    lines = {
        "accuracy": f"{score['top1']:.2f} % top-1 on {score['images']} images that training did not see",
        "training": training_line(run / "metrics.csv"),
        "MINDIR": export_line(export.with_suffix(".mindir")),
        "ONNX": export_line(export.with_suffix(".onnx")),
        "weights": str(best),
        "pictures": f"{run / 'curves.png'}, {run / 'predictions.png'}",
        "next": f"python predict.py --ckpt {best} IMAGE   (first: source .venv/bin/activate)",
    }
    rows = [f"  {key:<12} {line}" for key, line in lines.items()]
    return "\n".join(["", "TinyNet-E on handwritten digits", *rows, ""])


def main() -> None:
    """Print the summary of the run folder that the command line names."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: quickstart_summary.py RUN_FOLDER EXPORT; got {len(sys.argv) - 1} arguments")
    print(summary(Path(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
