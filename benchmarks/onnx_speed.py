"""Compare the speed of our ONNX file in ONNX Runtime to the file that PyTorch exports from timm's network.

    python benchmarks/onnx_speed.py [--models tinynet_c tinynet_e] [--threads 1 2] [--rounds 200]

Each call takes one image. The weights are random, because the speed does not depend on them; BatchNorm is folded in
both files. The files take turns in one process, ours twice, so that the noise of a ratio is visible; medians are
compared. Without torch, onnxscript and timm, our file is compared to our own file without folding.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import mindspore as ms

from benchmarks.timm_loader import declare_torchvision_operators
from src.deploy.deployed_network import DeployedNetwork
from src.deploy.folding import folded
from src.deploy.onnx_file import write_onnx
from src.deploy.timing import onnx_seconds
from src.images.preprocess import Preprocess
from src.models import create_model
from src.runtime import device


def our_file(model: str, path: Path, fold: bool) -> int:
    """Write our ONNX file of a network with initial weights, and return its input size in pixels."""
    network = create_model(model).set_train(False)
    size = network.architecture.resolution
    graph = DeployedNetwork(folded(network) if fold else network, Preprocess(size))
    write_onnx(graph, ms.Tensor(np.zeros((1, 3, size, size), np.float32)), path, 1, ["logits"])
    return size


def timm_file(model: str, path: Path, size: int) -> bool:
    """Write PyTorch's ONNX file of timm's network; return False if torch, onnxscript or timm is not installed."""
    try:
        declare_torchvision_operators()
        import onnxscript  # noqa: F401 - torch's exporter needs it
        import timm
        import torch
    except (ImportError, RuntimeError):
        return False
    network, image = timm.create_model(model, pretrained=False).eval(), torch.zeros(1, 3, size, size)
    torch.onnx.export(network, (image,), str(path), external_data=False, verbose=False)
    return True


def main() -> None:
    """Parse the command line, measure, and print a line for each network and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["tinynet_c", "tinynet_e"], help="names of networks")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="threads of ONNX Runtime")
    parser.add_argument("--rounds", type=int, default=200, help="calls of each file; medians are compared")
    args = parser.parse_args()
    device.setup("CPU")
    with tempfile.TemporaryDirectory() as folder:
        for model in args.models:
            ours, theirs, name = Path(folder) / "ours.onnx", Path(folder) / "theirs.onnx", "timm by PyTorch"
            size = our_file(model, ours, fold=True)
            if not timm_file(model, theirs, size):
                name = "ours, not folded"
                our_file(model, theirs, fold=False)
                print("torch, onnxscript or timm is not installed; the comparison is with our own file without folding")
            image = np.random.default_rng(0).standard_normal((1, 3, size, size), np.float32)
            for threads in args.threads:
                first, other, second = onnx_seconds((ours, theirs, ours), image, threads, args.rounds)
                mine = (first + second) / 2
                print(
                    f"{model} at {size} px, threads: {threads}, ours {1e3 * mine:.3f} ms, {name} {1e3 * other:.3f} ms: "
                    f"{other / mine:.3f} x as fast (ours twice: {second / first:.3f})"
                )


if __name__ == "__main__":
    main()
