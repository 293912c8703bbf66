"""Take training or evaluation steps of timm's network in PyTorch, in both memory formats. Needs torch and timm.

    python benchmarks/timm_step.py --model tinynet_c --size 184 --batch_size 32 --task train --threads 2

`train_step.py --against timm` starts this program, possibly with another Python, and times it in turns with our step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.step_server import serve
from benchmarks.timm_loader import declare_torchvision_operators


def build(model: str, size: int, batch_size: int, task: str, channels_last: bool) -> Callable[[], float]:
    """Return a step: with `train` that of the paper's recipe (RMSProp, average of the weights), else an evaluation."""
    import torch
    from timm import create_model
    from timm.optim import RMSpropTF
    from timm.utils import ModelEmaV2

    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    network = create_model(model, drop_rate=0.2).to(memory_format=memory_format)
    images = torch.randn(batch_size, 3, size, size).to(memory_format=memory_format)
    labels = torch.randint(0, 1000, (batch_size,))

    def evaluate() -> float:
        with torch.inference_mode():
            return float(network(images).sum())

    if task == "eval":
        network.eval()
        return evaluate
    network.train()
    optimizer = RMSpropTF(network.parameters(), lr=1e-3, alpha=0.9, eps=1e-3, momentum=0.9, weight_decay=1e-5)
    average = ModelEmaV2(network, decay=0.9999)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)

    def train() -> float:
        optimizer.zero_grad()
        loss = loss_of(network(images), labels)
        loss.backward()
        optimizer.step()
        average.update(network)
        return float(loss)

    return train


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tinynet_c", help="timm's name of a network")
    parser.add_argument("--size", type=int, default=184, help="pixels")
    parser.add_argument("--batch_size", type=int, default=32, help="images per step")
    parser.add_argument("--task", choices=("train", "eval"), default="train")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    declare_torchvision_operators()
    import torch

    torch.set_num_threads(args.threads)
    make = partial(build, args.model, args.size, args.batch_size, args.task)
    serve({"contiguous": make(False), "channels_last": make(True)})


if __name__ == "__main__":
    main()
