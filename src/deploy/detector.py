"""A detector to export: boxes and scores of all anchors. What follows them is in the description, for the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from src.config import DetectExportConfig, PostprocessOptions
from src.deploy.batches import batches
from src.deploy.comparison import Comparison, compare
from src.deploy.description import preprocess_entry
from src.deploy.exportable import Exportable
from src.deploy.output import Kind, Output
from src.deploy.same_objects import SameObjects
from src.design.architecture_file import to_dict
from src.design.detector import detector_cost, detector_to_dict
from src.detection.coco import CocoSet
from src.detection.coco_scores import scoring_package
from src.detection.evaluate import check_same_categories, rule_of
from src.detection.faults import check_coco
from src.detection.layout import open_coco, resolve_coco_path
from src.detection.network import Decoder
from src.detection.pipeline import stretched
from src.detection.task import DetectionTask
from src.detection.weights import LoadedDetector
from src.images.decoding import read_rgb
from src.images.image_file import ImageRef
from src.runtime.texts import printable
from src.runtime.workers import worker_count
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of

# Allowed differences. Measured with a trained TinyNet-E of 192 px on scenes of digits; ONNX files of a random TinyNet-D
# of 320 px and 80 classes differ by 9e-7 (boxes) and 6e-8 (scores) in fp32, and by 3e-4 and 2e-5 in fp16.
BOX_TOLERANCE: dict[Kind, float] = {  # between coordinates, as a share of the input's side
    ("MINDIR", "fp32"): 1e-5,  # measured: 2e-7
    ("ONNX", "fp32"): 1e-5,  # 1e-6
    ("MINDIR", "fp16"): 5e-3,  # 3e-4
    ("ONNX", "fp16"): 5e-3,  # 2e-4
    ("ONNX", "int8"): 0.4,  # 0.03 to 0.08 among all anchors of 200 images
}
SCORE_TOLERANCE: dict[Kind, float] = {  # between probabilities
    ("MINDIR", "fp32"): 1e-4,  # measured: 1e-6
    ("ONNX", "fp32"): 1e-4,  # 3e-6
    ("MINDIR", "fp16"): 2e-2,  # 2e-3
    ("ONNX", "fp16"): 2e-2,  # 2e-3
    ("ONNX", "int8"): 0.6,  # 0.2
}


class ExportedDetector(Exportable):
    """The detector that the options of detect.py export name.

    Raises:
        UserError: the data that score an 8-bit file, or the package for it, are missing or do not fit.
    """

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
        self.truth = self._open_truth(config.data_path) if config.precision == "int8" and config.data_path else None

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
            "postprocess": {key: getattr(self.config, key) for key in PostprocessOptions.model_fields},
        }

    def compare(self, path: Path, source: Path, calibration: np.ndarray) -> Comparison:
        size, config, rule = self.config.batch_size or 1, self.config, rule_of(self.config)
        if self.truth is None:
            judge = SameObjects(rule)
            return compare(path, source, self.outputs, batches(calibration, size), len(calibration), judge)
        images = self.truth
        inputs = self.inputs([images.path(index) for index in range(len(images))], size, config.input_type)
        judge = SameObjects(rule, images, self.preprocess.size)
        return compare(path, source, self.outputs, inputs, len(images), judge)

    def _open_truth(self, data_path: str) -> CocoSet:
        """Return the images that score an 8-bit file: opened first, because the quantization takes minutes."""
        scoring_package()
        images = open_coco(resolve_coco_path(data_path), "val", self.config.val_json, self.config.val_images)
        check_same_categories(images, self.model)
        check_coco([images], "auto", worker_count(0))
        return images

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
