"""A classifier to export: one output, the logits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from src.classification.classes import numbered_as_trained
from src.config import ExportConfig
from src.deploy.batches import batches
from src.deploy.comparison import Comparison, compare
from src.deploy.description import preprocess_entry
from src.deploy.exportable import Exportable
from src.deploy.output import Kind, Output
from src.deploy.same_class import SameClass
from src.deploy.weights_only import save_weights
from src.design.cost import total_cost
from src.images.check import check_images
from src.images.data_path import open_split, resolve_data_path
from src.images.image_file import ImageRef
from src.images.image_set import ImageSet
from src.models import LoadedModel
from src.runtime.texts import printable

TOLERANCE: dict[Kind, float] = {  # allowed difference between logits, as a share of the largest
    ("MINDIR", "fp32"): 1e-4,  # measured: 2e-6 for a trained network, 2e-5 for deep random networks (folding rounds)
    ("ONNX", "fp32"): 1e-4,
    ("MINDIR", "fp16"): 2e-2,  # measured: 1e-3 for a trained network, 9e-3 for random networks
    ("ONNX", "fp16"): 2e-2,
    ("ONNX", "int8"): 0.25,  # measured: 0.04 for a trained network
}


class Classifier(Exportable):
    """The network that the options of export.py name.

    Raises:
        UserError: the data that score an 8-bit file are missing or do not fit.
    """

    def __init__(self, config: ExportConfig, model: LoadedModel) -> None:
        self.config, self.model = config, model
        self.name, self.network, self.preprocess = model.name, model.network, model.preprocess
        self.outputs = (Output("logits", (model.network.num_classes,), TOLERANCE, "of the largest logit"),)
        self.cost = total_cost(model.network.architecture.at(model.preprocess.size), model.network.num_classes)
        self.truth = self._open_truth(config.data_path) if config.precision == "int8" and config.data_path else None

    def pixels(self, image: ImageRef) -> np.ndarray:
        return self.preprocess.pixels(image)

    def entries(self) -> dict[str, Any]:
        (logits,), preprocess = self.outputs, self.preprocess
        return {
            "output": logits.entry(),
            "preprocess": preprocess_entry(
                preprocess,
                resize={"short_side": preprocess.resize, "interpolation": "bicubic", "antialias": True},
                crop={"size": preprocess.size, "position": "centre", "crop_pct": preprocess.crop_pct},
            ),
            "num_classes": self.network.num_classes,
            "classes": [printable(name) for name in self.model.classes],  # JSON holds no bytes that are not UTF-8
        }

    def compare(self, path: Path, source: Path, calibration: np.ndarray) -> Comparison:
        size, config = self.config.batch_size or 1, self.config
        if self.truth is None:
            return compare(path, source, self.outputs, batches(calibration, size), len(calibration), SameClass())
        inputs, count = self.inputs(self.truth.files, size, config.input_type), len(self.truth)
        return compare(path, source, self.outputs, inputs, count, SameClass(self.truth.labels))

    def _open_truth(self, data_path: str) -> ImageSet:
        """Return the images that score an 8-bit file: opened first, because the quantization takes minutes."""
        images = open_split(resolve_data_path(data_path), "val", self.config.class_order)
        images = numbered_as_trained(self.model, images, self.config.class_order)
        check_images([images])
        return images

    def save_weights(self, path: Path) -> None:
        save_weights(self.model, path, self.config.names)
