"""Score weights on the validation images of a data set.

python eval.py --model tinynet_c --ckpt tinynet_c.safetensors --data_path /data/imagenet
python eval.py --ckpt runs/quickstart/checkpoints/best.ckpt --data_path digits
"""

import sys

from src.cli import run
from src.config import EvalConfig


def evaluate(config: EvalConfig) -> None:
    """Print top-1, top-5 and loss; with --json, the last line is JSON."""
    from src.classification.evaluate import evaluate_checkpoint

    evaluate_checkpoint(config)


if __name__ == "__main__":
    sys.exit(run(EvalConfig, evaluate, __doc__))
