"""Published results of the networks on ImageNet-1000, with their sources, and released weights with timm's scores."""

from __future__ import annotations

from typing import NamedTuple


class Weights(NamedTuple):
    """Released weights, with the top-1 and top-5 accuracy in percent that timm measured."""

    name: str  # in timm, with the tag of the training
    top1: float
    top5: float
    pixels: int = 0  # width and height of the images in timm's measurement; 0: the network's own resolution


class Published(NamedTuple):
    """Published results of a network; None for results that are not known."""

    name: str
    source: str | None = None  # of top1 and top5
    top1: float | None = None  # percent
    top5: float | None = None  # percent
    timm: bool = False  # True if timm has a network of this name
    weights: tuple[Weights, ...] = ()
    config: str | None = None  # file in config/ with the recipe; None: the file with the network's name

    @property
    def recipe(self) -> str:
        """The name of the file in config/ with the recipe."""
        return self.config or f"{self.name}.yaml"


TINYNET = "arXiv 2010.14819"  # as repeated by its authors: huawei-noah/Efficient-AI-Backbones, tinynet_pytorch
EFFICIENTNET = "arXiv 1905.11946v5"
GHOSTNET = "arXiv 1911.11907"
GHOSTNET_600 = "mindspore-ai/mindspore, model_zoo/research/cv/ghostnet"
S_GHOSTNET = "mindspore-ai/models, research/cv/S-GhostNet"

# Weights: results/results-imagenet.csv of huggingface/pytorch-image-models, TinyNet and GhostNet as of its commit
# aa4b585, EfficientNet as of 0173a13. (The scores of the same weights differ by up to 0.05 % between the two commits.)
# EfficientNet's weights are those that timm trained on ImageNet-1000 alone. Those of the tf_ networks are the authors'
# own, with AutoAugment. The paper's numbers were measured with the tf_ networks, too.
#
# EfficientNet-B^-k has no numbers, because the TinyNet paper's 56.7 % belong to a B^-4 whose coefficients are not known
# (see families.py). s_ghostnet_b1_searched has none either: the 80.9 % and 84.3 % of Greedy Network Enlarging belong to
# networks of 600 M and 4.4 G MACs, and the released code does not say which.
ROWS = (
    Published("tinynet_a", TINYNET, 76.8, None, True, (Weights("tinynet_a.in1k", 77.666, 93.532),)),
    Published("tinynet_b", TINYNET, 75.0, None, True, (Weights("tinynet_b.in1k", 74.946, 92.194),)),
    Published("tinynet_c", TINYNET, 71.2, None, True, (Weights("tinynet_c.in1k", 71.214, 89.746),)),
    Published("tinynet_d", TINYNET, 67.0, None, True, (Weights("tinynet_d.in1k", 66.936, 87.078),)),
    Published("tinynet_e", TINYNET, 59.9, None, True, (Weights("tinynet_e.in1k", 59.874, 81.774),)),
    Published("efficientnet_b0", EFFICIENTNET, 77.1, 93.3, True, (
        Weights("efficientnet_b0.ra_in1k", 77.694, 93.532),)),
    Published("efficientnet_b1", EFFICIENTNET, 79.1, 94.4, True, (
        Weights("efficientnet_b1.ft_in1k", 78.800, 94.342, 256),)),
    Published("efficientnet_b2", EFFICIENTNET, 80.1, 94.9, True, (
        Weights("efficientnet_b2.ra_in1k", 80.610, 95.314, 288),)),
    Published("efficientnet_b3", EFFICIENTNET, 81.6, 95.7, True, (
        Weights("efficientnet_b3.ra2_in1k", 82.242, 96.118, 320),)),
    Published("efficientnet_b4", EFFICIENTNET, 82.9, 96.4, True, (
        Weights("efficientnet_b4.ra2_in1k", 83.414, 96.598, 384),)),
    Published("efficientnet_b5", EFFICIENTNET, 83.6, 96.7, True),
    Published("efficientnet_b6", EFFICIENTNET, 84.0, 96.8, True),
    Published("efficientnet_b7", EFFICIENTNET, 84.3, 97.0, True),
    Published("tf_efficientnet_b0", EFFICIENTNET, 77.1, 93.3, True, (
        Weights("tf_efficientnet_b0.aa_in1k", 76.834, 93.220),)),
    Published("tf_efficientnet_b1", EFFICIENTNET, 79.1, 94.4, True, (
        Weights("tf_efficientnet_b1.aa_in1k", 78.830, 94.198),)),
    Published("tf_efficientnet_b2", EFFICIENTNET, 80.1, 94.9, True, (
        Weights("tf_efficientnet_b2.aa_in1k", 80.084, 94.906),)),
    Published("tf_efficientnet_b3", EFFICIENTNET, 81.6, 95.7, True, (
        Weights("tf_efficientnet_b3.aa_in1k", 81.644, 95.722),)),
    Published("tf_efficientnet_b4", EFFICIENTNET, 82.9, 96.4, True, (
        Weights("tf_efficientnet_b4.aa_in1k", 83.018, 96.300),)),
    Published("tf_efficientnet_b5", EFFICIENTNET, 83.6, 96.7, True, (
        Weights("tf_efficientnet_b5.aa_in1k", 83.688, 96.712),)),
    Published("tf_efficientnet_b6", EFFICIENTNET, 84.0, 96.8, True, (
        Weights("tf_efficientnet_b6.aa_in1k", 84.116, 96.880),)),
    Published("tf_efficientnet_b7", EFFICIENTNET, 84.3, 97.0, True, (
        Weights("tf_efficientnet_b7.aa_in1k", 84.414, 96.906),)),
    Published("efficientnet_b_minus_1", config="imagenet.yaml"),
    Published("efficientnet_b_minus_2", config="imagenet.yaml"),
    Published("efficientnet_b_minus_3", config="imagenet.yaml"),
    Published("efficientnet_b_minus_4", config="imagenet.yaml"),
    Published("ghostnet_050", GHOSTNET, 66.2, 86.6, True),
    Published("ghostnet_100", GHOSTNET, 73.9, 91.4, True, (Weights("ghostnet_100.in1k", 73.958, 91.542),)),
    Published("ghostnet_130", GHOSTNET, 75.7, 92.7, True),
    Published("ghostnet_600", GHOSTNET_600, 80.2),
    Published("s_ghostnet_b1", S_GHOSTNET, 79.844),
    Published("s_ghostnet_b1_searched"),
    Published("s_ghostnet_b4", S_GHOSTNET, 83.024),
)  # fmt: skip
