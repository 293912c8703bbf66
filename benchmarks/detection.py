"""Measure detection: the training pipeline, post-processing, COCO's evaluation, the ONNX file and the training step.

    python benchmarks/detection.py [pipeline postprocess evaluation onnx step] [--torch_python PATH]

All numbers are seconds of the processor, which background load changes less than the clock; networks compute with one
thread. `onnx` and `step` are compared, in turns, with torchvision's ssdlite320_mobilenet_v3_large in eager PyTorch,
where torch and torchvision are installed; --torch_python names the Python of another environment. The networks differ:
SSDLite on TinyNet-D has 404 M MACs at 320 px and 80 classes, torchvision's 583 M.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.against_timm import Server
from benchmarks.photographs import make_photographs
from benchmarks.step_server import seconds_of, serve
from src.design.detector import Detector
from src.design.families import ARCHITECTURES
from src.detection.anchors import anchor_boxes
from src.detection.matching import targets

if TYPE_CHECKING:
    from src.detection.coco import CocoSet

SIZE, CLASSES, OBJECTS = 320, 80, 7  # pixels; without the background; of an image, as in COCO
PHOTOGRAPH, NOISE = (640, 480), 12  # pixels, COCO's most frequent size; levels
PIPELINE_IMAGES, EPOCHS = 64, 4
EVALUATED, FOUND = 5000, 100  # images, and detections of each
DETECTOR = Detector(ARCHITECTURES["tinynet_d"].at(SIZE), CLASSES)
HERE = Path(__file__).resolve().parent


def random_boxes(rng: np.random.RandomState, count: int, width: int, height: int) -> np.ndarray:
    """Return boxes x, y, width, height of 32 pixels up to a half of the image, float64 (count, 4)."""
    sides = rng.uniform(32, [width / 2, height / 2], (count, 2))
    return np.concatenate([rng.uniform(0, 1, (count, 2)) * ([width, height] - sides), sides], 1)


def coco_set(folder: Path, files: list[str]) -> CocoSet:
    """Return a data set of images of 640 x 480 pixels with seven random objects each."""
    from src.detection.coco import read_coco

    rng, (width, height) = np.random.RandomState(0), PHOTOGRAPH
    images = [{"id": n, "file_name": name, "width": width, "height": height} for n, name in enumerate(files, 1)]
    boxes = random_boxes(rng, len(files) * OBJECTS, width, height).tolist()
    labels = rng.randint(1, CLASSES + 1, len(boxes)).tolist()
    annotations = [
        {"id": n + 1, "image_id": n // OBJECTS + 1, "category_id": label, "bbox": box, "area": box[2] * box[3]}
        for n, (box, label) in enumerate(zip(boxes, labels))
    ]
    categories = [{"id": n, "name": f"class {n}"} for n in range(1, CLASSES + 1)]
    path = folder / "instances.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return read_coco(path, folder)


def measure_pipeline(args: argparse.Namespace) -> None:
    """Print the training images of a core-second: 640 x 480 to 320 pixels, with IoU crop, flip and matching."""
    from src.config import DetectAugmentOptions
    from src.detection.pipeline import train_batches
    from src.detection.samples import CocoSamples
    from src.images.preprocess import Preprocess

    with tempfile.TemporaryDirectory() as folder:
        make_photographs(Path(folder), PIPELINE_IMAGES, PHOTOGRAPH, NOISE)
        files = sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*.jpg"))
        size = sum(os.path.getsize(Path(folder) / name) for name in files) / len(files)
        samples, anchors = CocoSamples(coco_set(Path(folder), files)), anchor_boxes(DETECTOR)

        def epoch(number: int) -> int:
            batches = train_batches(
                samples, Preprocess(SIZE), anchors, DetectAugmentOptions(), 16, epoch=number, seed=0, workers=2
            )
            return sum(len(batch[0]) for batch in batches.create_tuple_iterator(num_epochs=1, output_numpy=True))

        epoch(0)
        rates = []
        for number in range(EPOCHS):
            began = time.process_time()
            count = epoch(number)
            rates.append(count / (time.process_time() - began))
    rate = f"{statistics.median(rates):.0f} images a core-second (best epoch {max(rates):.0f})"
    say("pipeline", f"{rate}, JPEGs of {size / 1e3:.0f} kB", "140 or more")


def measure_postprocess(args: argparse.Namespace) -> None:
    """Print the time of threshold, best candidates and suppression for all anchors of an image."""
    from src.detection.postprocess import detect

    rng = np.random.RandomState(0)
    codes = rng.randn(DETECTOR.anchors, 4).astype(np.float32) * 5
    boxes = np.clip(anchor_boxes(DETECTOR) + codes, 0, SIZE).astype(np.float32)
    powers = np.exp(3 * rng.randn(DETECTOR.anchors, DETECTOR.outputs).astype(np.float32))
    scores = powers / powers.sum(-1, keepdims=True)
    seconds = seconds_of(lambda: detect(boxes, scores), 20, time.process_time)
    say("postprocess", f"{1e3 * statistics.median(seconds):.1f} ms an image, {scores.shape[1]} scores", "10 or less")


def measure_evaluation(args: argparse.Namespace) -> None:
    """Print the time of COCO's numbers of 5,000 images with 100 detections each."""
    from src.detection.coco_scores import score_detections

    with tempfile.TemporaryDirectory() as folder:
        images = coco_set(Path(folder), [f"{number}.jpg" for number in range(EVALUATED)])
    rng, (width, height) = np.random.RandomState(1), PHOTOGRAPH
    truths = np.array([row["bbox"] for row in images.annotations])
    labels = np.array([row["category_id"] for row in images.annotations], np.float64)
    near = truths + rng.randn(*truths.shape) * 4  # each object is found once, the other detections are anywhere
    others = random_boxes(rng, EVALUATED * (FOUND - OBJECTS), width, height)
    ids = np.arange(1, EVALUATED + 1)
    table = np.column_stack(
        [
            np.concatenate([np.repeat(ids, OBJECTS), np.repeat(ids, FOUND - OBJECTS)]),
            np.concatenate([near, others]),
            rng.uniform(0.01, 1, EVALUATED * FOUND),
            np.concatenate([labels, rng.randint(1, CLASSES + 1, len(others))]),
        ]
    )
    (seconds,) = seconds_of(lambda: score_detections(images, table), 1, time.process_time)
    say("evaluation", f"{seconds:.0f} s for {EVALUATED:,} images with {FOUND} detections each", "60 or less")


def measure_onnx(args: argparse.Namespace) -> None:
    """Print the time of our ONNX file for one image, beside torchvision's network without post-processing."""
    compare("onnx", "eval", "ms an image", args, "a third or less of torchvision's")


def measure_step(args: argparse.Namespace) -> None:
    """Print the time of our compiled training step, beside torchvision's."""
    compare("step", "train", f"ms a step of {args.batch_size} images", args, "")


def compare(kind: str, theirs: str, unit: str, args: argparse.Namespace, bar: str) -> None:
    """Time our steps in turns with torchvision's, each in a process of its own, and print medians and their ratio."""
    batch = ["--batch_size", str(args.batch_size)]
    environment = {"OMP_NUM_THREADS": "1"}
    ours = Server([sys.executable, __file__, "--serve", kind, *batch], environment)
    has_torchvision = subprocess.run([args.torch_python, "-c", "import torch"], capture_output=True).returncode == 0
    other = (
        Server([args.torch_python, str(HERE / "torchvision_step.py"), *batch], environment) if has_torchvision else None
    )
    mine: list[float] = []
    rival: list[float] = []
    for _ in range(args.rounds):
        mine += ours.steps(kind, args.calls)
        if other:
            rival += other.steps(theirs, args.calls)
    ours.close()
    text = f"{1e3 * statistics.median(mine):.1f} {unit} (best {1e3 * min(mine):.1f})"
    if other:
        other.close()
        ratio = statistics.median(mine) / statistics.median(rival)
        text += f", torchvision {1e3 * statistics.median(rival):.1f} (best {1e3 * min(rival):.1f}): {ratio:.2f} of it"
    else:
        text += "; torch is not installed, so nothing is compared"
    say(kind, text, bar)


def serve_onnx() -> None:
    """Compute one image with our file in ONNX Runtime, on request."""
    import mindspore as ms

    from src.deploy.deployed_network import DeployedNetwork
    from src.deploy.folding import folded
    from src.deploy.onnx_file import write_onnx
    from src.deploy.verification import onnx_session
    from src.detection.network import Decoder
    from src.detection.weights import create_detector
    from src.images.preprocess import Preprocess

    network = folded(create_detector(DETECTOR).set_train(False))
    graph = DeployedNetwork(network, Preprocess(SIZE), decode=Decoder(DETECTOR))
    image = np.random.RandomState(0).randn(1, 3, SIZE, SIZE).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.onnx"
        write_onnx(graph, ms.Tensor(image), path, 1, ("boxes", "scores"))
        session = onnx_session(path, threads=1)
    serve({"onnx": lambda: session.run(None, {session.get_inputs()[0].name: image})}, time.process_time)


def serve_step(batch_size: int) -> None:
    """Take our training steps on request: SGD on a batch of noise with random objects."""
    from mindspore import Tensor

    from src.config import DetectTrainConfig
    from src.detection.loss import DetectorWithLoss
    from src.detection.weights import create_detector
    from src.networks.layers import use_native_kernels
    from src.training.optimizers import build_optimizer
    from src.training.step import TrainStep

    network, recipe = create_detector(DETECTOR), DetectTrainConfig()
    use_native_kernels(network)
    optimizer = build_optimizer(network, recipe, np.full(1000, 0.01, np.float32))
    step = TrainStep(network, DetectorWithLoss(network), optimizer, recipe)
    rng, anchors = np.random.RandomState(0), anchor_boxes(DETECTOR)
    found = []
    for _ in range(batch_size):
        boxes = random_boxes(rng, OBJECTS, SIZE, SIZE)
        boxes[:, 2:] += boxes[:, :2]
        found.append(targets(boxes.astype(np.float32), rng.randint(1, CLASSES + 1, OBJECTS), anchors))
    images = Tensor(rng.randn(batch_size, 3, SIZE, SIZE).astype(np.float32))
    labels, codes = (Tensor(np.stack(values)) for values in zip(*found))
    serve({"step": lambda: step(images, labels, codes).asnumpy()}, time.process_time)


def say(name: str, text: str, bar: str) -> None:
    """Print a line with the load of the machine."""
    wanted = f" (wanted: {bar})" if bar else ""
    print(f"{name}: {text}{wanted}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "pipeline": measure_pipeline,
    "postprocess": measure_postprocess,
    "evaluation": measure_evaluation,
    "onnx": measure_onnx,
    "step": measure_step,
}


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument("--batch_size", type=int, default=4, help="images of a training step")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each network")
    parser.add_argument("--calls", type=int, default=4, help="steps of a turn")
    parser.add_argument("--torch_python", default=sys.executable, help="Python of an environment with torchvision")
    parser.add_argument("--serve", choices=("onnx", "step"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        from src.kernels.library import choose_kernels
        from src.runtime import device

        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one thread
        device.setup("CPU")
        choose_kernels("auto")
        serve_onnx() if args.serve == "onnx" else serve_step(args.batch_size)
        return
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(f"unknown part {unknown.pop()}; expected {', '.join(PARTS)}")
    for name in args.parts or PARTS:
        PARTS[name](args)


if __name__ == "__main__":
    main()
