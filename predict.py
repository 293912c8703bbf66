"""Name what is in images.

python predict.py --model tinynet_c --ckpt tinynet_c.safetensors --labels imagenet_classes.txt photo.jpg
python predict.py --ckpt runs/quickstart/checkpoints/best.ckpt data/digits/val --sheet predictions.png
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import PredictConfig


def predict(config: PredictConfig) -> None:
    """Print the best classes of each image; with --json as one line of JSON."""
    from src.classification.predict import predict_images

    predict_images(config)


if __name__ == "__main__":
    sys.exit(run(PredictConfig, predict, __doc__))
