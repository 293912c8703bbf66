"""The collections whose weights this project reads and writes: a row of rules for each way to name tensors.

A `Source` translates in one direction, from timm's name of a tensor to its name in a file. Both loading and export use
it, so that what is written is read again. What names and shapes do not show stands in `Source.style`: a file of the
source is loaded into a network of that padding, epsilon and activation, or not at all.

The names are those of the networks that each collection builds. Tests compare the rules with them, tensor by tensor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from src.design.architecture import Architecture, Style
from src.design.differences import differences
from src.design.families import ARCHITECTURES, EFFICIENTNETS, TENSORFLOW_STYLE, TINYNETS
from src.design.ghostnets import GHOSTNET_STYLE, GHOSTNET_WIDTHS, GHOSTNETS, S_GHOSTNET_ROWS, S_GHOSTNET_STYLE
from src.errors import UserError
from src.weights.source import MINDSPORE_BATCH_NORM, Collection, Shape, Source

COLLECTIONS: dict[Collection, str] = {"timm": "timm", "mindcv": "MindCV", "zoo": "MindSpore's model zoo"}
SAME_STYLE = replace(TENSORFLOW_STYLE, bn_epsilon=1e-5)  # of MindCV's smaller EfficientNets
HARD_SWISH_STYLE = replace(
    SAME_STYLE,
    stem_activation="hard_swish",
    activation="hard_swish",
    head_activation="hard_swish",
    se_activation="hard_swish",
)

# A ghost bottleneck in the model zoo: each convolution and its BatchNorm are `conv` and `bn` of a Cell of their own.
ZOO_GHOST = {
    f"{module}.{timm}": f"{module}.{theirs}"
    for module in (f"ghost{number}.{part}" for number in (1, 2) for part in ("primary_conv", "cheap_operation"))
    for timm, theirs in (("0", "conv"), ("1", "bn"))
} | {
    "conv_dw": "dw.conv",
    "bn_dw": "dw.bn",
    "shortcut.0": "shortcut.0.conv",
    "shortcut.1": "shortcut.0.bn",
    "shortcut.2": "shortcut.1.conv",
    "shortcut.3": "shortcut.1.bn",
}
ZOO_GHOSTNET = {"ghost": ZOO_GHOST, "last": {"bn1": "bn"}}

# EfficientNet B1 to B3 in the model zoo: a convolution is `X.0.conv` and its BatchNorm `X.1`. An unused bias `X.0.bias`
# is stored too, and so is the expansion that the blocks of the first stage do not use.
ZOO_SQUEEZE_EXCITE = {
    "se.conv_reduce.weight": "se.se.1.conv.weight",
    "se.conv_reduce.bias": "se.se.1.bias",
    "se.conv_expand.weight": "se.se.3.conv.weight",
    "se.conv_expand.bias": "se.se.3.bias",
}
ZOO_EFFICIENTNET = {
    "": {
        "conv_stem": "stem.0.conv",
        "bn1": "stem.1",
        "conv_head": "head.0.conv",
        "bn2": "head.1",
        "classifier": "head.6",
    },
    "ds": ZOO_SQUEEZE_EXCITE
    | {
        "conv_dw": "depth_wise_conv.0.conv",
        "bn1": "depth_wise_conv.1",
        "conv_pw": "project_conv.0.conv",
        "bn2": "project_conv.1",
    },
    "ir": ZOO_SQUEEZE_EXCITE
    | {
        "conv_pw": "expand_conv.0.conv",
        "bn1": "expand_conv.1",
        "conv_dw": "depth_wise_conv.0.conv",
        "bn2": "depth_wise_conv.1",
        "conv_pwl": "project_conv.0.conv",
        "bn3": "project_conv.1",
    },
}
ZOO_EFFICIENTNET_B2 = ZOO_EFFICIENTNET | {  # its last convolution of a block has no Cell of its own
    "ds": ZOO_EFFICIENTNET["ds"] | {"conv_pw": "project_conv.0"},
    "ir": ZOO_EFFICIENTNET["ir"] | {"conv_pwl": "project_conv.0"},
}

# EfficientNet in MindCV: a block is a list of layers, in which activations have numbers, too.
MINDCV_EFFICIENTNET = {
    "": {"conv_stem": "features.0", "bn1": "features.1", "conv_head": "features.10", "bn2": "features.11"}
    | {"classifier": "mlp_head"},
    "ds": {"conv_dw": "0", "bn1": "1", "conv_pw": "4", "bn2": "5"}
    | {"se.conv_reduce": "3.conv_reduce", "se.conv_expand": "3.conv_expand"},
    "ir": {"conv_pw": "0", "bn1": "1", "conv_dw": "3", "bn2": "4", "conv_pwl": "7", "bn3": "8"}
    | {"se.conv_reduce": "6.conv_reduce", "se.conv_expand": "6.conv_expand"},
}

ZOO_B1_TO_B3 = Source(
    title="MindSpore's model zoo (EfficientNet b1 to b3)",
    collection="zoo",
    mark=r"blocks\.\d+\.layers\.",
    networks=("tf_efficientnet_b1", "tf_efficientnet_b3"),
    style=TENSORFLOW_STYLE,
    block=lambda place: f"blocks.{place.stage}.layers.{place.repeat}.",
    rules=ZOO_EFFICIENTNET,
    unread=r"^(stem|head|.*(expand|depth_wise|project)_conv)\.0\.bias$|^blocks\.0\.layers\.\d+\.expand_conv\.",
    wide_bias=r"\.se\.se\.\d\.bias$",
)
MINDCV_B0_TO_B4 = Source(
    title="MindCV",
    collection="mindcv",
    mark=r"features\.\d+\.\d+\.block\.",
    networks=tuple(EFFICIENTNETS)[:5],
    style=SAME_STYLE,
    block=lambda place: f"features.{place.stage + 3}.{place.repeat}.block.",
    rules=MINDCV_EFFICIENTNET,
)
ZOO_TINYNET = Source(
    title="MindSpore's model zoo (tinynet)",
    collection="zoo",
    mark=r"blocks\.layer\.",
    networks=tuple(TINYNETS),
    style=Style(),
    block=lambda place: f"blocks.layer.{place.group}.{place.in_group}.",
)
ZOO_GHOSTNET_1X = Source(
    title="MindSpore's model zoo (ghostnet)",
    collection="zoo",
    mark=r"blocks\.\d+\.ghost\d\.\w+\.conv\.",
    networks=("ghostnet_100",),
    style=GHOSTNET_STYLE,
    block=lambda place: f"blocks.{place.number}.",
    last=lambda place: f"blocks.{place.number}.",
    rules=ZOO_GHOSTNET,
)
PROJECT = Source(title="this project", mark=r".*\.(gamma|moving_mean) ", networks=tuple(ARCHITECTURES))
TIMM = Source(
    title="timm",
    collection="timm",
    mark=r".*\.running_mean ",
    networks=tuple(ARCHITECTURES),
    batch_norm={name: name for name in MINDSPORE_BATCH_NORM},
)

SOURCES = (  # special cases come before the rule that they are a case of
    replace(
        ZOO_B1_TO_B3,
        mark=r"blocks\.\d+\.layers\.\d+\.project_conv\.0\.weight ",
        networks=("tf_efficientnet_b2",),
        rules=ZOO_EFFICIENTNET_B2,
    ),
    ZOO_B1_TO_B3,
    replace(
        ZOO_TINYNET,
        title="MindSpore's model zoo (EfficientNet, folder b0)",
        mark=r"blocks\.layer\..*\.se\.conv_(reduce|expand)\.weight \d+x\d+$",
        networks=("efficientnet_b0", "efficientnet_b1"),
        style=HARD_SWISH_STYLE,
        refusal="its networks compute hard swish, also in squeeze-excite, and no network here does",
    ),
    ZOO_TINYNET,
    replace(
        ZOO_GHOSTNET_1X,
        title="MindSpore's model zoo (S-GhostNet)",
        mark=r"blocks\.\d+\.\d+\.ghost\d\.\w+\.conv\.",
        networks=tuple(S_GHOSTNET_ROWS),
        style=S_GHOSTNET_STYLE,
        block=lambda place: f"blocks.{place.stage}.{place.repeat}.",
        last=lambda place: f"blocks.{place.stage}.",
    ),
    replace(
        ZOO_GHOSTNET_1X,
        title="MindSpore's model zoo (ghostnet 600M)",
        mark=r"blocks\.0\.se\.",  # only its first block has squeeze-excite
        networks=("ghostnet_600",),
        style=GHOSTNETS["ghostnet_600"].style,
    ),
    ZOO_GHOSTNET_1X,
    replace(
        MINDCV_B0_TO_B4,
        mark=r"features\.10\.weight (2048|2304|2560)x",  # the heads of B5 to B7
        networks=tuple(f"tf_{name}" for name in EFFICIENTNETS)[5:],
        style=TENSORFLOW_STYLE,
    ),
    MINDCV_B0_TO_B4,
    Source(
        title="MindCV",
        collection="mindcv",
        mark=r"blocks\.\d+\.features\.",
        networks=tuple(GHOSTNET_WIDTHS),
        style=GHOSTNET_STYLE,
        last=lambda place: f"blocks.{place.group}.features.",
        rules={"last": {"conv": "0", "bn1": "1"}},
    ),
    PROJECT,
    TIMM,
)


def recognize(shapes: Mapping[str, Shape]) -> Source:
    """Return the source of a file by the names and shapes of its tensors; `PROJECT` if no other is recognized."""
    texts = [f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items()]
    return next((source for source in SOURCES if any(re.match(source.mark, text) for text in texts)), PROJECT)


def source_for(architecture: Architecture, collection: Collection) -> Source:
    """Return the source of a collection by which another program loads the weights of a network.

    Raises:
        UserError: the collection has no network that computes the same with these tensors.
    """
    if collection == "timm":
        return TIMM
    sources = [source for source in SOURCES if source.collection == collection]
    reason = f"{COLLECTIONS[collection]} has no network with the tensors of {architecture.name}"
    for source in sources:
        for name in source.networks:
            theirs = ARCHITECTURES[name].computing_as(source.style or architecture.style).at(architecture.resolution)
            if not differences(theirs.computing_as(architecture.style), architecture):
                found = differences(theirs, architecture)
                if not found and not source.refusal:
                    return source
                reason = f"{source.title} would compute other logits with these weights: it has {', '.join(found)}"
    raise UserError(f"names is {collection}: {reason}; leave --names out, or choose timm")
