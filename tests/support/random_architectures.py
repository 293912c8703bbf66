"""Random networks of every family, for tests of properties that all networks have."""

from hypothesis import strategies as st

from src.design.architecture import Architecture, Stage, Style

ACTIVATIONS = st.sampled_from(["silu", "relu", "hard_swish"])


def per_block(numbers):
    """Draw one number for all blocks of a stage, or a tuple of numbers."""
    return numbers | st.lists(numbers, min_size=1, max_size=3).map(tuple)


def stages(block, widths):
    return st.builds(
        Stage,
        block=st.just(block),
        kernel=st.sampled_from([3, 5, 7]),
        stride=st.sampled_from([1, 2]),
        expand=st.just(1) if block == "ds" else per_block(st.sampled_from([1, 2.5, 3, 6]) | st.floats(0.5, 8)),
        channels=widths,
        repeats=st.integers(1, 4),
        se=per_block(st.sampled_from([0, 0.1, 0.25])),
        skip=st.just(True) if block == "ghost" else st.booleans(),
    )


def styles(divisors):
    return st.builds(
        Style,
        stem_activation=ACTIVATIONS,
        activation=ACTIVATIONS,
        head_activation=ACTIVATIONS,
        se_activation=ACTIVATIONS,
        se_gate=st.sampled_from(["sigmoid", "hard_sigmoid"]),
        se_of=st.sampled_from(["input", "hidden"]),
        se_divisor=st.sampled_from([1, 4, 8]),
        hidden_divisor=divisors,
        divisor=st.sampled_from([4, 8]),
        padding=st.sampled_from(["symmetric", "same"]),
        bn_epsilon=st.sampled_from([1e-5, 1e-3, 1.0]),
    )


def networks(families, blocks, widths, divisors, head_convs):
    stage = st.sampled_from(blocks).flatmap(lambda block: stages(block, widths))
    return st.builds(
        Architecture,
        name=st.text(max_size=12),
        family=st.sampled_from(families),
        resolution=st.integers(16, 320),
        stem=widths,
        stages=st.lists(stage, min_size=1, max_size=5).map(tuple),
        head=st.integers(1, 1600),
        head_conv=head_convs,
        style=styles(divisors),
    )


any_widths, even_widths = st.integers(1, 64), st.integers(1, 32).map(lambda half: 2 * half)
efficientnets = networks(
    ["efficientnet", "tinynet"], ["ds", "ir"], any_widths, st.sampled_from([1, 4, 8]), head_convs=st.just(0)
)
ghostnets = networks(
    ["ghostnet", "s_ghostnet"], ["ds", "ir", "ghost"], even_widths, st.sampled_from([4, 8]), st.integers(1, 960)
)
architectures = efficientnets | ghostnets
