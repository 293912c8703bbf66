"""One way to name the tensors of a network, as a collection of weights has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from src.design.architecture import Architecture, Style
from src.design.families import ARCHITECTURES
from src.design.layer_table import grouped_blocks, layers
from src.weights.names import BATCH_NORM_TO_TIMM

Collection = Literal["timm", "mindcv", "zoo"]
Shape = tuple[int, ...]
Rules = Mapping[str, str]

BLOCK = re.compile(r"^blocks\.\d+\.\d+\.")  # timm's prefix of the tensors of a block
MINDSPORE_BATCH_NORM = {timm: name for name, timm in BATCH_NORM_TO_TIMM.items()}


class Place(NamedTuple):
    """The numbers of a block: in timm's groups, in the stages of the architecture, and through the whole network."""

    group: int
    in_group: int
    stage: int
    repeat: int
    number: int


@dataclass(frozen=True)
class Source:
    """A way to name the tensors of a network.

    Attributes:
        title: for the user.
        collection: the value of `--names` that writes these names; None: only read.
        mark: regular expression. A file is of the first source of which it holds a tensor `NAME HEIGHTxWIDTH...`.
        networks: those of this project that the collection has.
        style: padding, epsilon and activations of these networks; None: the names do not say which.
        refusal: why no file of the source can be loaded.
        batch_norm: timm's name of a tensor of BatchNorm -> theirs.
        block: from the place of a block to the prefix of its tensors.
        last: the same for the last convolution of a GhostNet, which timm counts as a block.
        rules: timm's name of a layer, or of one tensor -> theirs; outside of blocks (""), by the kind of the block, and
            in the last convolution ("last"). What is not listed has timm's name.
        unread: regular expression for tensors in files that the network never reads.
        wide_bias: regular expression for biases of shape (1, C, 1, 1).
    """

    title: str
    mark: str
    collection: Collection | None = None
    networks: tuple[str, ...] = ()
    style: Style | None = None
    refusal: str = ""
    batch_norm: Rules = field(default_factory=lambda: MINDSPORE_BATCH_NORM)
    block: Callable[[Place], str] = lambda place: f"blocks.{place.group}.{place.in_group}."
    last: Callable[[Place], str] = lambda place: f"blocks.{place.group}.0."
    rules: Mapping[str, Rules] = field(default_factory=dict)
    unread: str = r"(?!)"
    wide_bias: str = r"(?!)"

    @property
    def stem(self) -> str:
        """The name of the weights of the first layer."""
        return self.rules.get("", {}).get("conv_stem", "conv_stem") + ".weight"

    @property
    def classifier(self) -> str:
        """The name of the matrix of the last layer."""
        return self.rules.get("", {}).get("classifier", "classifier") + ".weight"

    def names(self, architecture: Architecture) -> dict[str, str]:
        """Return timm's name -> the name in a file, for every tensor of a network."""
        prefixes = dict(self._prefixes(architecture))
        names = {}
        for layer in layers(architecture):
            prefix = "".join(BLOCK.findall(layer.name))
            theirs, rules = prefixes[prefix]
            for timm in layer.shapes():
                own, _, tensor = timm.removeprefix(prefix).rpartition(".")
                is_norm = prefix + own == layer.norm
                renamed = rules.get(own, own) + "." + (self.batch_norm[tensor] if is_norm else tensor)
                names[timm] = theirs + rules.get(f"{own}.{tensor}", renamed)
        return names

    def shape(self, name: str, shape: Shape) -> Shape:
        """Return the shape in a file of the tensor that has `shape` in a network, by its name in the file."""
        return (1, *shape, 1, 1) if re.search(self.wide_bias, name) else shape

    def nearest(self, shapes: Mapping[str, Shape]) -> list[Architecture]:
        """Return those of `networks` whose tensors differ least from these in names and shapes, whatever the classes.

        Networks of other paddings may have equal tensors. A file with a fault has the fewest differences from its own.
        """
        read = {name: shape for name, shape in shapes.items() if not re.search(self.unread, name)}
        networks = [ARCHITECTURES[name] for name in self.networks]
        networks = [network.computing_as(self.style) if self.style else network for network in networks]
        faults = [len(self._body(self.shapes(network)) ^ self._body(read)) for network in networks]
        return [network for network, count in zip(networks, faults, strict=True) if count == min(faults)]

    def shapes(self, architecture: Architecture) -> dict[str, Shape]:
        """Return the name and shape in a file of each tensor of a network."""
        names = self.names(architecture)
        shapes = {names[timm]: shape for layer in layers(architecture) for timm, shape in layer.shapes().items()}
        return {name: self.shape(name, shape) for name, shape in shapes.items()}

    def _body(self, shapes: Mapping[str, Shape]) -> set[tuple[str, Shape]]:
        head = self.classifier.removesuffix("weight")
        return {(name, shape) for name, shape in shapes.items() if not name.startswith(head)}

    def _prefixes(self, architecture: Architecture) -> Iterator[tuple[str, tuple[str, Rules]]]:
        """Give timm's prefix of each block, with the prefix in a file and the rules within; "" stands for no block."""
        kinds = [stage.block for stage in architecture.stages]
        places = list(_places(architecture))
        yield "", ("", self.rules.get("", {}))
        for place in places:
            rules = self.rules.get(kinds[place.stage], {})
            yield f"blocks.{place.group}.{place.in_group}.", (self.block(place), rules)
        if architecture.is_ghostnet:
            last = Place(places[-1].group + 1, 0, len(kinds), 0, len(places))
            yield f"blocks.{last.group}.0.", (self.last(last), self.rules.get("last", {}))


def _places(architecture: Architecture) -> Iterator[Place]:
    groups = [(group, index) for group, row in enumerate(grouped_blocks(architecture)) for index in range(len(row))]
    stages = [(stage, repeat) for stage, row in enumerate(architecture.stages) for repeat in range(row.repeats)]
    for number, (timm, own) in enumerate(zip(groups, stages, strict=True)):
        yield Place(*timm, *own, number)
