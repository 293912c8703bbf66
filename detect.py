"""Train and evaluate SSDLite detectors on data sets in COCO's format, and find objects in images.

python detect.py train --config config/ssdlite_tinynet_d.yaml --data_path /data/coco --ckpt tinynet_d.safetensors
python detect.py eval --ckpt runs/coco/checkpoints/best.ckpt --data_path /data/coco --results detections.json
python detect.py predict --ckpt runs/coco/checkpoints/best.ckpt photo.jpg folder --sheet objects.png
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import Command, run_commands
from src.config import DetectEvalConfig, DetectExportConfig, DetectPredictConfig, DetectTrainConfig


def train(config: DetectTrainConfig) -> None:
    """Train a detector on a data set in COCO's format.

    python detect.py train --config config/ssdlite_digits.yaml
    python detect.py train --config config/ssdlite_tinynet_d.yaml --data_path /data/coco --ckpt tinynet_d.safetensors
    """
    from src.detection.task import DetectionTask  # imported late, so that --help and mistakes answer at once
    from src.training.run import build_run

    build_run(config, DetectionTask).fit()


def evaluate(config: DetectEvalConfig) -> None:
    """Print COCO's twelve numbers of a detector and the AP of each class.

    python detect.py eval --ckpt runs/coco/checkpoints/best.ckpt --data_path /data/coco --results detections.json
    """
    from src.detection.evaluate import evaluate_detector

    evaluate_detector(config)


def export(config: DetectExportConfig) -> None:
    """Write FILE_NAME.mindir, .onnx or .air with FILE_NAME.json, verified; or FILE_NAME.ckpt, weights alone.

    python detect.py export --ckpt runs/coco/checkpoints/best.ckpt --file_format ONNX --batch_size 0 --file_name coco
    """
    from src.deploy.exporter import export_detector

    export_detector(config)


def predict(config: DetectPredictConfig) -> None:
    """Print the objects of each image; with --json as one line of JSON.

    python detect.py predict --ckpt runs/coco/checkpoints/best.ckpt photo.jpg folder --draw copies --sheet objects.png
    """
    from src.detection.predict import predict_objects

    predict_objects(config)


COMMANDS: dict[str, Command] = {
    "train": (DetectTrainConfig, train),
    "eval": (DetectEvalConfig, evaluate),
    "export": (DetectExportConfig, export),
    "predict": (DetectPredictConfig, predict),
}

if __name__ == "__main__":
    sys.exit(run_commands(COMMANDS, __doc__))
