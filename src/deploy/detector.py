"""A detector to export: boxes and scores of all anchors. What follows them is in the description, for the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from src.config import DetectExportConfig
from src.deploy.comparison import Comparison
from src.deploy.description import preprocess_entry
from src.deploy.exportable import Exportable
from src.deploy.output import Kind, Output
from src.design.architecture_file import to_dict
from src.design.detector import detector_cost, detector_to_dict
from src.detection.network import Decoder
from src.detection.pipeline import stretched
from src.detection.task import DetectionTask
from src.detection.weights import LoadedDetector
from src.images.decoding import read_rgb
from src.images.image_file import ImageRef
from src.runtime.texts import printable
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of

BOX_TOLERANCE: dict[Kind, float] = {  # allowed difference between coordinates, as a share of the input's side
    ("MINDIR", "fp32"): 1e-5,
    ("ONNX", "fp32"): 1e-5,
    ("MINDIR", "fp16"): 1e-2,
    ("ONNX", "fp16"): 1e-2,
}
SCORE_TOLERANCE: dict[Kind, float] = {  # allowed difference between probabilities
    ("MINDIR", "fp32"): 1e-4,
    ("ONNX", "fp32"): 1e-4,
    ("MINDIR", "fp16"): 2e-2,
    ("ONNX", "fp16"): 2e-2,
}


class ExportedDetector(Exportable):
    """The detector that the options of detect.py export name."""

    def __init__(self, config: DetectExportConfig, model: LoadedDetector) -> None:
        detector = model.network.detector
        self.config, self.model, self.detector = config, model, detector
        self.name = f"ssdlite_{model.network.architecture.name}"
        self.network, self.decode, self.preprocess = model.network, Decoder(detector), model.preprocess
        self.outputs = (
            Output("boxes", (detector.anchors, 4), BOX_TOLERANCE, "of the side (boxes)", scale=detector.size),
            Output("scores", (detector.anchors, detector.outputs), SCORE_TOLERANCE, "(scores)", scale=1),
        )
        self.cost = detector_cost(detector)

    def pixels(self, image: ImageRef) -> np.ndarray:
        return stretched(read_rgb(image), self.preprocess.size)

    def entries(self) -> dict[str, Any]:
        size = self.preprocess.size
        resize = {"width": size, "height": size, "interpolation": "bilinear", "antialias": True}
        return {
            "task": DetectionTask.name,
            "outputs": [output.entry() for output in self.outputs],
            "preprocess": preprocess_entry(self.preprocess, resize=resize),
            "num_classes": self.detector.num_classes,
            "classes": [printable(name) for name in self.model.classes],
            "postprocess": {
                key: getattr(self.config, key) for key in ("min_score", "candidates", "nms_overlap", "max_objects")
            },
        }

    def compare(self, path: Path, source: Path, calibration: np.ndarray) -> Comparison:
        raise NotImplementedError

    def save_weights(self, path: Path) -> None:
        """Write a checkpoint that `detect.py` reads, without the state of a training."""
        meta = {
            "task": DetectionTask.name,
            "model": self.model.network.architecture.name,
            "architecture": to_dict(self.model.network.architecture),
            "detector": detector_to_dict(self.detector),
            "classes": list(self.model.classes),
            "preprocess": self.preprocess.as_dict(),
        }
        save_ckpt({name: p.asnumpy() for name, p in weights_of(self.network).items()}, path, meta)
