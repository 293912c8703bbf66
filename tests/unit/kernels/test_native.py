"""The C++ kernels against float64 references: shapes of all networks, odd shapes, and any number of threads."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import native
from support.native import call, number, relative_error

from src.design.families import ARCHITECTURES
from src.design.layer_table import layers

FORWARD, GRADIENT = 1e-5, 1e-4


def depthwise_shapes():
    """(kernel, stride, TensorFlow's padding, input size) of every depthwise convolution of every network."""
    shapes = set()
    for architecture in ARCHITECTURES.values():
        size = -(-architecture.resolution // 2)
        for block in (block for blocks in architecture.blocks() for block in blocks):
            shapes.add((block.kernel, block.stride, architecture.style.padding == "same" and block.stride > 1, size))
            size = -(-size // block.stride)
            if block.kind == "ghost":
                shapes |= {(3, 1, False, -(-size // stride)) for stride in (1, block.stride)}
    return sorted(shapes)


def check_depthwise(images, channels, height, width, kernel, stride, same, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((images, channels, height, width), np.float32)
    weight = rng.standard_normal((channels, 1, kernel, kernel), np.float32)
    how = native.settings(stride, same)
    y = native.depthwise(x, weight, stride, same)
    dy = rng.standard_normal(y.shape, np.float32)
    found = call("DepthwiseForward", [x, weight, how], [y.shape])
    gradients = call("DepthwiseBackward", [x, weight, how, dy], [x.shape, weight.shape])
    assert relative_error(found[0], y) < FORWARD
    for one, other in zip(gradients, native.depthwise_gradients(x, weight, stride, same, dy), strict=True):
        assert relative_error(one, other) < GRADIENT


def test_depthwise_convolutions_of_all_networks():
    shapes = depthwise_shapes()
    assert len(shapes) > 100 and (5, 2, True, 56) in shapes
    for kernel, stride, same, size in shapes:
        check_depthwise(1 if size > 60 else 2, 2 if size > 60 else 3, size, size, kernel, stride, same)


side = st.integers(1, 40)


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 5), side, side, st.sampled_from([3, 5, 7]), st.integers(1, 2), st.booleans())
@example(1, 1, 1, 1, 7, 2, True)
@example(40, 1, 3, 3, 3, 1, False)  # many small maps one behind the other
def test_odd_depthwise_convolutions(images, channels, height, width, kernel, stride, same):
    check_depthwise(images, channels, height, width, kernel, stride, same)


def check_pointwise(images, inputs, outputs, height, width, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((images, inputs, height, width), np.float32)
    weight = rng.standard_normal((outputs, inputs, 1, 1), np.float32)
    dy = rng.standard_normal((images, outputs, height, width), np.float32)
    matrix = weight[:, :, 0, 0].astype(np.float64)
    columns, slopes = (maps.astype(np.float64).reshape(images, -1, height * width) for maps in (x, dy))
    (y,) = call("PointwiseForward", [x, weight], [dy.shape])
    dx, dweight = call("PointwiseBackward", [x, weight, dy], [x.shape, weight.shape])
    assert relative_error(y.reshape(slopes.shape), matrix @ columns) < FORWARD
    assert relative_error(dx.reshape(columns.shape), matrix.T @ slopes) < GRADIENT
    expected = (slopes @ columns.transpose(0, 2, 1)).sum(0)
    assert relative_error(dweight[:, :, 0, 0], expected) < GRADIENT


def test_pointwise_convolutions_of_all_networks():
    shapes = {
        (layer.inputs, layer.outputs, min(layer.size, 12))
        for architecture in ARCHITECTURES.values()
        for layer in layers(architecture)
        if layer.kernel == 1 and not layer.bias
    }
    assert len(shapes) > 150
    for inputs, outputs, size in sorted(shapes):
        if inputs * outputs < 40_000:  # larger ones have more of the same tiles
            check_pointwise(1, inputs, outputs, size, min(size, 3))


@settings(max_examples=60)
@given(st.integers(1, 7), st.integers(1, 60), st.integers(1, 60), side, side)
@example(1, 1, 1, 1, 1)
@example(20, 50, 33, 1, 1)  # many maps of one pixel in a tile
@example(1, 3, 4, 40, 40)
def test_odd_pointwise_convolutions(images, inputs, outputs, height, width):
    check_pointwise(images, inputs, outputs, height, width)


@settings(max_examples=40)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 20), side, side, st.sampled_from([3, 5, 7]), st.booleans())
@example(1, 1, 1, 1, 1, 7, True)
def test_odd_stems(images, inputs, outputs, height, width, kernel, same):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((images, inputs, height, width), np.float32)
    weight = rng.standard_normal((outputs, inputs, kernel, kernel), np.float32)
    for stride in (1, 2):
        how, y = native.settings(stride, same), native.convolution(x, weight, stride, same)
        dy = rng.standard_normal(y.shape, np.float32)
        assert relative_error(call("StemForward", [x, weight, how], [y.shape])[0], y) < FORWARD
        (dweight,) = call("StemBackward", [x, weight, how, dy], [weight.shape])
        assert relative_error(dweight, native.convolution_gradient(x, weight, stride, same, dy)) < GRADIENT


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 70), side, side)
def test_global_means(images, channels, height, width):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((images, channels, height, width), np.float32), rng.standard_normal((images, channels))
    dy = dy.astype(np.float32)
    assert relative_error(call("GlobalMeanForward", [x], [dy.shape])[0], x.mean((2, 3), np.float64)) < FORWARD
    (dx,) = call("GlobalMeanBackward", [x, dy], [x.shape])
    np.testing.assert_allclose(dx, np.broadcast_to((dy / (height * width))[:, :, None, None], x.shape), rtol=1e-6)


def check_norm_act(images, channels, height, width, activation, of_batch, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    shape, epsilon, kept = (images, channels, height, width), 1e-3, 0.9
    x = (rng.standard_normal(shape, np.float32) * 2 + np.float32(shift)).astype(np.float32)
    gamma, beta, mean = (rng.standard_normal(channels, np.float32) for _ in range(3))
    variance = rng.uniform(0.5, 2, channels).astype(np.float32)
    given = (None, None) if of_batch else (mean.astype(np.float64), variance.astype(np.float64))
    expected = native.norm_act(x, gamma, beta, *given, epsilon, activation)
    how = native.settings(kept, epsilon, of_batch, number(activation))
    moving = mean.copy(), variance.copy()
    y, statistics = call("NormActForward", [x, gamma, beta, *moving, how], [shape, (2, channels)])
    scale = 1 + abs(shift)
    assert np.abs(y - expected).max() < FORWARD * scale * max(1, np.abs(expected).max())
    if of_batch:
        wide = x.astype(np.float64)
        count = wide.size / channels
        now = wide.mean((0, 2, 3)), wide.var((0, 2, 3)) * count / max(1, count - 1)
        for found, before, new in zip(moving, (mean, variance), now, strict=True):
            np.testing.assert_allclose(found, 0.9 * before + 0.1 * new, rtol=1e-5, atol=1e-6 * scale)
    else:
        assert all((one == other).all() for one, other in zip(moving, (mean, variance), strict=True))
    dy = rng.standard_normal(shape, np.float32)
    found = call("NormActBackward", [x, gamma, beta, statistics, how, dy], [shape, gamma.shape, beta.shape])
    if images * height * width > 1 or not of_batch:  # the gradient of a single pixel is zero, up to rounding
        for one, other in zip(found, native.norm_act(x, gamma, beta, *given, epsilon, activation, dy), strict=True):
            assert np.abs(one - other).max() < GRADIENT * scale * max(1, np.abs(other).max())


def test_norms_of_all_networks():
    sizes = {layer.size for a in ARCHITECTURES.values() for layer in layers(a) if layer.norm}
    assert len(sizes) > 50
    for size in sorted(sizes):
        check_norm_act(1 if size > 60 else 2, 2, size, size, "silu", True)


@settings(max_examples=60)
@given(
    st.integers(1, 9),
    st.integers(1, 5),
    side,
    side,
    st.sampled_from(["linear", "relu", "relu6", "silu", "hard_swish"]),
    st.booleans(),
)
@example(1, 1, 1, 1, "silu", True)
@example(500, 3, 1, 1, "relu", True)  # many maps of one pixel
def test_odd_norms(images, channels, height, width, activation, of_batch):
    check_norm_act(images, channels, height, width, activation, of_batch)


@settings(max_examples=60)
@given(
    st.integers(1, 6),
    st.integers(1, 3),
    side,
    side,
    st.sampled_from([3, 5, 7]),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from([("silu", "silu"), ("relu", "linear"), ("hard_swish", "relu6")]),
    st.tuples(st.booleans(), st.booleans()),
)
@example(3, 1, 23, 23, 5, 2, True, ("silu", "silu"), (True, True))
def test_odd_middles_of_blocks(images, channels, height, width, kernel, stride, same, names, of_batch):
    """BatchNorm, activation, depthwise convolution, BatchNorm, activation as one operator."""
    rng, epsilon = np.random.default_rng(0), 1e-2
    x = rng.standard_normal((images, channels, height, width), np.float32)
    weight = rng.standard_normal((channels, 1, kernel, kernel), np.float32)
    gamma1, beta1, mean1, gamma2, beta2, mean2 = (rng.standard_normal(channels, np.float32) for _ in range(6))
    variance1, variance2 = (rng.uniform(0.5, 2, channels).astype(np.float32) for _ in range(2))
    given1, given2 = (
        (None, None) if batch else (mean.astype(np.float64), variance.astype(np.float64))
        for batch, mean, variance in zip(of_batch, (mean1, mean2), (variance1, variance2), strict=True)
    )
    active = native.norm_act(x, gamma1, beta1, *given1, epsilon, names[0])
    middle = native.depthwise(active, weight, stride, same)
    expected = native.norm_act(middle, gamma2, beta2, *given2, epsilon, names[1])
    norms = [(0.9, epsilon, batch, number(name)) for batch, name in zip(of_batch, names, strict=True)]
    how = native.settings(*norms[0], *norms[1], stride, same)
    inputs = [x, gamma1, beta1, mean1, variance1, weight, gamma2, beta2, mean2, variance2, how]
    shapes = [expected.shape, expected.shape, (2, channels), (2, channels)]
    y, inner, *statistics = call("NormDepthwiseForward", inputs, shapes)
    assert np.abs(y - expected).max() < FORWARD * max(1, np.abs(expected).max())
    dy = rng.standard_normal(y.shape, np.float32)
    dmiddle, dgamma2, dbeta2 = native.norm_act(middle, gamma2, beta2, *given2, epsilon, names[1], dy)
    dactive, dweight = native.depthwise_gradients(active, weight, stride, same, dmiddle)
    dx, dgamma1, dbeta1 = native.norm_act(x, gamma1, beta1, *given1, epsilon, names[0], dactive)
    inputs = [x, gamma1, beta1, weight, gamma2, beta2, how, inner, *statistics, dy]
    vector = gamma1.shape
    found = call("NormDepthwiseBackward", inputs, [x.shape, vector, vector, weight.shape, vector, vector])
    scale = max(np.abs(value).max() for value in (dmiddle, dweight, dx, dgamma1, dgamma2, dbeta1, dbeta2))
    for one, other in zip(found, (dx, dgamma1, dbeta1, dweight, dgamma2, dbeta2), strict=True):
        assert np.abs(one - other).max() < GRADIENT * max(1, scale)


def test_the_variance_of_large_means_is_exact():
    """The sum of squares would lose all digits of the variance."""
    x = np.random.default_rng(0).standard_normal((8, 3, 30, 30), np.float32) + np.float32(3000)
    zeros = np.zeros(3, np.float32)
    how = native.settings(0.9, 0, True, number("linear"))
    _, statistics = call("NormActForward", [x, zeros, zeros, zeros.copy(), zeros.copy(), how], [x.shape, (2, 3)])
    np.testing.assert_allclose(1 / statistics[1] ** 2, x.astype(np.float64).var((0, 2, 3)), rtol=1e-5)


def check_squeeze_excite(images, channels, inner, height, width, activation, gate, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((images, channels, height, width), np.float32)
    weights = [
        (rng.standard_normal(shape) * scale).astype(np.float32)
        for shape, scale in (
            ((inner, channels, 1, 1), 3 / np.sqrt(channels)),
            ((inner,), 1),
            ((channels, inner, 1, 1), 3 / np.sqrt(inner)),
            ((channels,), 1),
        )
    ]
    how = native.settings(number(activation), number(gate))
    kept = [(images, channels), (images, inner), (images, channels)]
    y, *middle = call("SqueezeExciteForward", [x, *weights, how], [x.shape, *kept])
    assert relative_error(y, native.squeeze_excite(x, *weights, activation, gate)) < FORWARD
    dy = rng.standard_normal(x.shape, np.float32)
    shapes = [x.shape, *(weight.shape for weight in weights)]
    found = call("SqueezeExciteBackward", [x, weights[0], weights[2], how, *middle, dy], shapes)
    for one, other in zip(found, native.squeeze_excite(x, *weights, activation, gate, dy), strict=True):
        assert np.abs(one - other).max() < GRADIENT * max(1, np.abs(other).max())


def test_squeeze_excites_of_all_networks():
    blocks = {
        (block.hidden, block.se_channels)
        for architecture in ARCHITECTURES.values()
        for blocks in architecture.blocks()
        for block in blocks
        if block.se_channels
    }
    assert len(blocks) > 80
    for channels, inner in sorted(blocks):
        check_squeeze_excite(1, channels, inner, 3, 2, "silu", "sigmoid")


@settings(max_examples=40)
@given(
    st.integers(1, 5),
    st.integers(1, 40),
    st.integers(1, 20),
    side,
    side,
    st.sampled_from(["silu", "relu", "hard_swish"]),
    st.sampled_from(["sigmoid", "hard_sigmoid"]),
)
@example(1, 1, 1, 1, 1, "silu", "sigmoid")
def test_odd_squeeze_excites(images, channels, inner, height, width, activation, gate):
    check_squeeze_excite(images, channels, inner, height, width, activation, gate)


def all_bits(threads):
    """The bits of every kernel on maps that are worth several threads."""
    native.built().SetThreadCount(threads)
    rng = np.random.default_rng(1)

    def draw(*shape):
        return rng.standard_normal(shape, np.float32)

    x, gamma, beta = draw(5, 24, 23, 23), draw(24), draw(24)
    how, moving = native.settings(0.9, 1e-5, 1, number("silu")), (draw(24), np.abs(draw(24)))
    y, statistics = call("NormActForward", [x, gamma, beta, *moving, how], [x.shape, (2, 24)])
    found = [y, statistics, *moving]
    found += call("NormActBackward", [x, gamma, beta, statistics, how, y], [x.shape, (24,), (24,)])
    kernel, how = draw(24, 1, 5, 5), native.settings(1, 0)
    found += call("DepthwiseForward", [x, kernel, how], [x.shape])
    found += call("DepthwiseBackward", [x, kernel, how, y], [x.shape, kernel.shape])
    norm = [draw(24), draw(24), draw(24), np.abs(draw(24))]
    how = native.settings(*(0.9, 1e-5, 1, number("silu")) * 2, 2, 0)
    half = (5, 24, 12, 12)
    again = [tensor.copy() for tensor in norm]
    kept = call("NormDepthwiseForward", [x, *norm, kernel, *again, how], [half, half, (2, 24), (2, 24)])
    inputs = [x, *norm[:2], kernel, *norm[:2], how, *kept[1:], kept[0]]
    found += kept + call("NormDepthwiseBackward", inputs, [x.shape, (24,), (24,), kernel.shape, (24,), (24,)])
    stem, how = draw(8, 3, 3, 3), native.settings(2, 1)
    image = np.ascontiguousarray(x[:, :3])
    (out,) = call("StemForward", [image, stem, how], [(5, 8, 12, 12)])
    found += [out, *call("StemBackward", [image, stem, how, out], [stem.shape])]
    matrix = draw(40, 24, 1, 1)
    (wide,) = call("PointwiseForward", [x, matrix], [(5, 40, 23, 23)])
    found += [wide, *call("PointwiseBackward", [x, matrix, wide], [x.shape, matrix.shape])]
    weights, how = (draw(6, 24, 1, 1), draw(6), draw(24, 6, 1, 1), draw(24)), native.settings(2, 4)
    out, *middle = call("SqueezeExciteForward", [x, *weights, how], [x.shape, (5, 24), (5, 6), (5, 24)])
    shapes = [x.shape, *(weight.shape for weight in weights)]
    found += [out, *call("SqueezeExciteBackward", [x, weights[0], weights[2], how, *middle, y], shapes)]
    tensors = [draw(size) for size in (40_000, 7) for _ in range(4)]
    groups = [np.abs(tensor) for tensor in tensors[::4] + tensors[1::4] + tensors[2::4] + tensors[3::4]]
    decays = native.settings(1e-3, 0)
    call("RMSPropUpdate", [native.settings(0.1, 0.9, 0.9, 1e-3), decays, *groups], [(1,)])
    call("SGDUpdate", [native.settings(0.1, 0.9, 1), decays, *groups[:6]], [(1,)])
    call("AdamWUpdate", [native.settings(0.1, 0.5, 0.5, 0.9, 0.9, 1e-3), decays, *groups], [(1,)])
    call("AverageUpdate", [native.settings(0.1), *groups[:4]], [(1,)])
    return b"".join(tensor.tobytes() for tensor in found + groups)


def test_bits_are_the_same_with_any_number_of_threads_and_at_every_call():
    assert len({all_bits(threads) for threads in (1, 2, 3, 2, 8)}) == 1


@pytest.mark.parametrize(
    "name, inputs, shapes, fault",
    [
        ("DepthwiseForward", [(1, 2, 4, 4), (2, 1, 3, 3)], [(1, 2, 4, 4)], 101),
        ("DepthwiseForward", [(1, 2, 4, 4), (2, 1, 4, 4), (2,)], [(1, 2, 4, 4)], 103),
        ("DepthwiseForward", [(1, 2, 4, 4), (2, 1, 3, 3), (2,)], [(1, 2, 4, 4)], 104),  # stride 0
        ("NormActForward", [(1, 2, 4, 4), (2,), (2,), (2,), (3,), (4,)], [(1, 2, 4, 4), (2, 2)], 103),
        ("AverageUpdate", [(1,), (3,), (4,)], [(1,)], 103),
        ("SGDUpdate", [(3,), (1,), (3,), (4,), (3,)], [(1,)], 103),
        ("AdamWUpdate", [(6,), (2,), (3,), (3,), (3,)], [(1,)], 101),
    ],
)
def test_wrong_tensors_are_a_fault_and_no_crash(name, inputs, shapes, fault):
    with pytest.raises(ValueError, match=f"{name}: fault {fault}"):
        call(name, [np.zeros(shape, np.float32) for shape in inputs], shapes)
