"""Write detection_step.npz: three training steps of torchvision's SSD on a small TinyNet of timm.

    python tests/golden/make_detection_step.py   # needs torch, torchvision and timm, not MindSpore

torchvision matches, computes the loss and decodes nothing; timm computes the backbone. `README.md` describes the file.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

from benchmarks.timm_loader import declare_torchvision_operators

declare_torchvision_operators()  # before anything imports torchvision

from support.detection_step import CLASSES, EXTRA, PIXELS, RATE, SEED, WEIGHT_DECAY, batches, summary
from support.seeded_weights import seeded_state
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from torch import nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead, _extra_block

BLOCKS = [["ds_r1_k3_s2_e1_c8_se0.25"], ["ir_r2_k5_s2_e2_c16_se0.25"]]  # support/small_network.yaml
LEVELS, ANCHORS = 2 + len(EXTRA), 6
UNITS = {"extra": (("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3")), "head": (("conv_dw", "bn1"),)}


class Maps(nn.Module):
    """The maps of SSDLite: the expansion of the block that strides last, the last 1x1, and the extra blocks."""

    def __init__(self):
        super().__init__()
        self.backbone = EfficientNet(
            decode_arch_def(BLOCKS), stem_size=8, fix_stem=True, num_features=1280, act_layer=nn.SiLU, num_classes=0
        )
        widths = (1280, *EXTRA)
        self.extra = nn.ModuleList(_extra_block(*pair, head_norm) for pair in zip(widths, widths[1:]))

    def forward(self, images):
        net, found = self.backbone, []
        tapped = net.blocks[1][0]
        hook = tapped.bn1.register_forward_hook(lambda *parts: found.append(parts[-1]))
        x = net.blocks(net.bn1(net.conv_stem(images)))
        hook.remove()
        found.append(net.bn2(net.conv_head(x)))
        for block in self.extra:
            found.append(block(found[-1]))
        return OrderedDict((str(index), values) for index, values in enumerate(found))


def head_norm(channels):
    """Return BatchNorm as in torchvision's heads."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)


def build():
    """Return torchvision's SSD, and its tensors by this project's names."""
    maps = Maps()
    channels = [16, 1280, *EXTRA]
    head = SSDLiteHead(channels, [ANCHORS] * LEVELS, CLASSES + 1, head_norm)
    boxes = DefaultBoxGenerator([[2, 3]] * LEVELS, min_ratio=0.2, max_ratio=0.95)
    no_change = {"image_mean": [0.0] * 3, "image_std": [1.0] * 3}
    model = SSD(maps, boxes, (PIXELS, PIXELS), CLASSES + 1, head=head, **no_change).train()
    tensors = dict(maps.backbone.state_dict(keep_vars=True))
    for index, block in enumerate(maps.extra):
        tensors |= renamed(f"extra.{index}.", block, UNITS["extra"])
    for name, branch in (("class_head", head.classification_head), ("box_head", head.regression_head)):
        for index, (unit, last) in enumerate(branch.module_list):
            tensors |= renamed(f"{name}.{index}.", [unit], UNITS["head"])
            tensors |= {f"{name}.{index}.conv_pw.{key}": value for key, value in last.named_parameters()}
    tensors = {name: value for name, value in tensors.items() if "num_batches" not in name}
    assert sum(p.numel() for p in model.parameters()) == sum(
        value.numel() for name, value in tensors.items() if "running" not in name
    )
    return model, tensors


def renamed(prefix, units, names):
    """Return the tensors of convolutions with BatchNorm under our names."""
    return {
        f"{prefix}{name}.{key}": value
        for (conv, norm), unit in zip(names, units, strict=True)
        for name, part in ((conv, unit[0]), (norm, unit[1]))
        for key, value in part.state_dict(keep_vars=True).items()
    }


def main():
    """Train and write the file."""
    model, tensors = build()
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    start = seeded_state(shapes, SEED)
    with torch.no_grad():
        for name, value in tensors.items():
            value.copy_(torch.from_numpy(start[name]))
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.9)
    losses = []
    for images, truths in batches():
        targets = [{"boxes": torch.from_numpy(b), "labels": torch.from_numpy(c)} for b, c in truths]
        optimizer.zero_grad()
        parts = model(list(torch.from_numpy(images)), targets)
        loss = parts["bbox_regression"] + parts["classification"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    names = sorted(tensors)
    after = {name: tensors[name].detach().numpy() for name in names}
    rows = np.stack([summary(after[name], start[name]) for name in names])
    path = Path(__file__).with_name("detection_step.npz")
    sides = [" ".join(map(str, shapes[name])) for name in names]
    np.savez_compressed(path, names=np.array(names), shapes=np.array(sides), losses=losses, weights=rows)
    print(path, losses)


if __name__ == "__main__":
    main()
