"""Numbers of torchvision's ssdlite320, and detectors on small networks. `tests/golden/README.md` describes the file."""

import numpy as np

from src.design.detector import Detector
from src.design.families import ARCHITECTURES
from src.detection.anchors import anchor_boxes
from src.detection.matching import targets
from support.project import GOLDEN

TORCHVISION = np.load(GOLDEN / "detection_torchvision.npz")
SSDLITE_320 = Detector(ARCHITECTURES["tinynet_e"].at(320), num_classes=10)  # torchvision's anchors, on any backbone


def golden_batch():
    """Return logits, codes, labels and target codes of the four golden images, as arrays."""
    anchors = anchor_boxes(SSDLITE_320)
    found = [targets(*golden_truths(image), anchors) for image in range(4)]
    labels, codes = np.stack([each.labels for each in found]), np.stack([each.codes for each in found])
    return TORCHVISION["logits"], TORCHVISION["reg"], labels, codes


def golden_truths(image):
    """Return boxes and classes of a golden image, without the padding."""
    classes = TORCHVISION["tl"][image]
    return TORCHVISION["tb"][image][classes > 0], classes[classes > 0]


def dense(key):
    """Return a golden gradient with its zeros: float32 (4, 3234, values)."""
    values = TORCHVISION[key]
    found = np.zeros((4, 3234, values.shape[-1]), np.float32)
    found[tuple(TORCHVISION[f"{key}_at"].astype(int).T)] = values
    return found
