"""Classify images with Pillow and ONNX Runtime in threads: the Python side of benchmarks/edge.py.

    python benchmarks/edge_python.py MODEL.onnx FOLDER --threads 2 --batch_size 1 [--inference_alone]

Each thread processes whole batches from file to result, and ONNX Runtime uses one thread per call. So no thread waits
for another, and the slow steps of Pillow, NumPy and ONNX Runtime release Python's lock. Each result is printed as soon
as it is computed. The last line is JSON: images, images_per_second and processor_seconds (both after the model is
loaded), and peak_megabytes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.images.folder import list_images
from src.images.preprocess import Preprocess


def peak_megabytes() -> float:
    """Return the peak memory of this process in MB, counted as the C++ program counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Parse the command line, classify the images and print results and timing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="ONNX file of export.py, with its .json beside it")
    parser.add_argument("folder", type=Path, help="folder with images")
    parser.add_argument("--threads", type=int, default=2, help="threads")
    parser.add_argument("--batch_size", type=int, default=1, help="images per call")
    parser.add_argument("--inference_alone", action="store_true", help="repeat one prepared batch without reading")
    args = parser.parse_args()

    described = json.loads(args.model.with_suffix(".json").read_text())["preprocess"]
    crop, mean, std = described["crop"], tuple(described["mean"]), tuple(described["std"])
    rule = Preprocess(crop["size"], crop["crop_pct"], mean, std)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(args.model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    files = list_images(args.folder).images
    parts = [files[start : start + args.batch_size] for start in range(0, len(files), args.batch_size)]

    def read(part: list[str]) -> np.ndarray:
        return np.stack([rule.normalize(rule.pixels(path)) for path in part])

    prepared = read(parts[0]) if args.inference_alone else None

    def classify(part: list[str]) -> list[tuple[int, float]]:
        logits = session.run(None, {name: read(part) if prepared is None else prepared[: len(part)]})[0]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return list(zip(logits.argmax(1).tolist(), (odds.max(1) / odds.sum(1)).tolist()))

    began, spent = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(args.threads) as pool:
        for part, found in zip(parts, pool.map(classify, parts)):
            for path, (index, probability) in zip(part, found):
                print(f"{path}: {index} {probability:.1%}", flush=True)
    result = {
        "images": len(files),
        "images_per_second": len(files) / (time.perf_counter() - began),
        "processor_seconds": time.process_time() - spent,
        "peak_megabytes": peak_megabytes(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
