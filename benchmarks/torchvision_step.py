"""Take steps of torchvision's ssdlite320_mobilenet_v3_large in eager PyTorch. Needs torch and torchvision.

    python benchmarks/torchvision_step.py --batch_size 4

`detection.py` starts this program, possibly with another Python, and times it in turns with our network. `eval` is the
network of one image without post-processing; `train` is a step with matching, which we leave to the input pipeline.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.step_server import serve
from benchmarks.timm_loader import declare_torchvision_operators

SIZE, CLASSES, OBJECTS = 320, 81, 7  # pixels; with the background; of an image


def build(batch_size: int) -> dict[str, Callable[[], object]]:
    """Return an evaluation of one image and a training step with SGD, both with random weights."""
    import torch
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    def network() -> torch.nn.Module:
        return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)

    trained, scored = network().train(), network().eval()
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.01, momentum=0.9, weight_decay=4e-5)
    image, images = torch.rand(1, 3, SIZE, SIZE), list(torch.rand(batch_size, 3, SIZE, SIZE))
    corners = torch.rand(batch_size, OBJECTS, 2) * SIZE / 2
    boxes = torch.cat([corners, corners + SIZE / 8 + torch.rand(batch_size, OBJECTS, 2) * SIZE / 4], -1)
    labels = torch.randint(1, CLASSES, (batch_size, OBJECTS))
    targets = [{"boxes": each, "labels": label} for each, label in zip(boxes, labels)]

    def evaluate() -> float:
        with torch.inference_mode():
            found = scored.head(list(scored.backbone(image).values()))
            return float(found["cls_logits"].sum())

    def train() -> float:
        optimizer.zero_grad()
        loss = sum(trained(images, targets).values())
        loss.backward()
        optimizer.step()
        return float(loss)

    return {"eval": evaluate, "train": train}


def main() -> None:
    """Parse the command line and serve, with one thread and the seconds of the processor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch_size", type=int, default=4, help="images of a training step")
    args = parser.parse_args()
    declare_torchvision_operators()
    import torch

    torch.set_num_threads(1)
    serve(build(args.batch_size), time.process_time)


if __name__ == "__main__":
    main()
