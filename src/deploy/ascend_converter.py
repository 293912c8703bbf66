"""Files for Ascend's offline converters: AIPP settings, the configuration of converter_lite, and command lines.

AIPP is the chip's own preprocessing. It takes RGB pixels, uint8 (N, size, size, 3), and normalizes them, so that the
host sends a quarter of the bytes. The host resizes and crops, as the description beside the file says.

Sources: the documentation of MindSpore Lite (r2.7 to r2.10) and of CANN 8. Neither tool could be run: the texts are
tested, their effect on a chip is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from src.deploy.deployed_network import INPUT, image_shape
from src.images.preprocess import Preprocess
from src.runtime.files import write_text

# precision -> names in converter_lite and atc: float16 where the chip has no float32 kernel, or float16 throughout
PRECISION_MODES = {"fp32": ("preferred_fp32", "allow_fp32_to_fp16"), "fp16": ("enforce_fp16", "force_fp16")}


@dataclass(frozen=True)
class Conversion:
    """A file to convert, with float32 NCHW input.

    Args:
        file: the MINDIR or ONNX file.
        soc_version: the chip, such as Ascend310P3.
        preprocess: mean, std and size of the input.
        precision: fp32 keeps the types of the file where the chip has kernels for them; fp16 computes all in float16.
        batch_size: images of one call, if there are no `gears`.
        gears: batch sizes to compile for.
    """

    file: Path
    soc_version: str
    preprocess: Preprocess
    precision: str = "fp32"
    batch_size: int = 1
    gears: tuple[int, ...] = ()

    @property
    def aipp_name(self) -> str:
        """Return the name of the AIPP file. It depends on the preprocessing alone."""
        return converter_files(self.file)[0].name

    @property
    def config_name(self) -> str:
        """Return the name of the configuration of converter_lite."""
        return converter_files(self.file)[1].name

    def shape(self) -> list[int]:
        """Return the shape of the input; with gears the batch is -1."""
        return [-1 if self.gears else self.batch_size, *image_shape(self.preprocess.size, "float32")]


def converter_files(file: Path) -> list[Path]:
    """Return the paths of AIPP settings, configuration and shell script for a graph at `file`."""
    names = (f"{file.stem}.aipp.cfg", f"{file.stem}.converter.cfg", f"{file.name}.convert.sh")
    return [file.with_name(name) for name in names]


def write_converter_files(conversion: Conversion) -> list[Path]:
    """Write STEM.aipp.cfg, for a MINDIR STEM.converter.cfg, and FILE.convert.sh beside the file; return their paths.

    Raises:
        UserError: the folder cannot be written to.
    """
    texts = {conversion.aipp_name: aipp_config(conversion.preprocess)}
    if conversion.file.suffix == ".mindir":
        texts[conversion.config_name] = converter_config(conversion)
    texts[converter_files(conversion.file)[2].name] = convert_script(conversion)
    for name, text in texts.items():
        write_text(conversion.file.with_name(name), text)
    return [conversion.file.with_name(name) for name in texts]


def aipp_config(preprocess: Preprocess) -> str:
    """Return the settings of static AIPP: out = (in - mean_chn - min_chn) * var_reci_chn.

    The means are in min_chn, because mean_chn takes only whole numbers.
    """
    mean, std = preprocess.pixel_mean_std()
    lines = [
        "aipp_mode: static",
        "related_input_rank: 0",
        "input_format: RGB888_U8",
        f"src_image_size_w: {preprocess.size}",
        f"src_image_size_h: {preprocess.size}",
        "csc_switch: false",
        "rbuv_swap_switch: false",
        "crop: false",
        *(f"mean_chn_{channel}: 0" for channel in range(3)),
        *(f"min_chn_{channel}: {_float32(value)}" for channel, value in enumerate(mean)),
        *(f"var_reci_chn_{channel}: {_float32(value)}" for channel, value in enumerate(1 / std)),
    ]
    return "aipp_op {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def converter_config(conversion: Conversion) -> str:
    """Return the --configFile of converter_lite. A fixed shape is not a setting but a flag."""
    shape = ",".join(map(str, conversion.shape()))
    lines = [
        "[acl_init_options]",
        f"ge.socVersion={conversion.soc_version}",
        "[ascend_context]",
        "input_format=NCHW",
        f"precision_mode={PRECISION_MODES[conversion.precision][0]}",
        "output_type=FP32",
        f"insert_op_config_file_path={conversion.aipp_name}",
    ]
    if conversion.gears:
        lines += [
            f"input_shape={INPUT}:[{shape}]",
            f"dynamic_dims={','.join(f'[{gear}]' for gear in conversion.gears)}",
        ]
    return "".join(f"{line}\n" for line in lines)


def convert_script(conversion: Conversion) -> str:
    """Return a shell script with the command line: converter_lite for a MINDIR, atc for an ONNX file."""
    converted = f"{conversion.file.stem}.{conversion.soc_version}"
    shape = f"{INPUT}:{','.join(map(str, conversion.shape()))}"
    if conversion.file.suffix == ".mindir":
        tool, words = "converter_lite, of MindSpore Lite's cloud-side package", [
            "converter_lite",
            "--fmk=MINDIR",
            f"--modelFile={conversion.file.name}",
            f"--outputFile={converted}",
            "--saveType=MINDIR",
            "--optimize=ascend_oriented",
            f"--configFile={conversion.config_name}",
            *([] if conversion.gears else [f"--inputShape={shape}"]),
        ]  # fmt: skip
    else:
        tool, words = "atc, of CANN", [
            "atc",
            "--framework=5",
            f"--model={conversion.file.name}",
            f"--output={converted}",
            f"--soc_version={conversion.soc_version}",
            "--input_format=NCHW",
            f"--input_shape={shape}",
            *([f"--dynamic_batch_size={','.join(map(str, conversion.gears))}"] if conversion.gears else []),
            f"--insert_op_conf={conversion.aipp_name}",
            f"--precision_mode={PRECISION_MODES[conversion.precision][1]}",
            "--output_type=FP32",
        ]  # fmt: skip
    lines = [
        "#!/usr/bin/env bash",
        f"# Needs {tool}, on the PATH. The result takes RGB pixels, uint8 (N, H, W, 3).",
        "set -euo pipefail",
        'cd "$(dirname "${BASH_SOURCE[0]}")"',
        " \\\n  ".join(quote(word) for word in words),
    ]
    return "\n".join(lines) + "\n"


def _float32(value: np.float32) -> str:
    """Return the shortest decimal number that rounds to this float32, without an exponent."""
    return np.format_float_positional(np.float32(value), trim="-")
