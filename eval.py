"""Score weights on the validation images of a data set.

python eval.py --model tinynet_c --ckpt tinynet_c.safetensors --data_path /data/imagenet
python eval.py --ckpt runs/quickstart/checkpoints/best.ckpt --data_path digits --results results.csv
python eval.py --ckpt 'runs/*/checkpoints/best.ckpt' --data_path digits --table table.csv
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import EvalConfig


def evaluate(config: EvalConfig) -> None:
    """Print top-1, top-5 and loss, as a table for several weights; with --json, the last line is JSON."""
    from src.classification.evaluate import evaluate_weights

    evaluate_weights(config)


if __name__ == "__main__":
    sys.exit(run(EvalConfig, evaluate, __doc__))
