"""Files for Ascend's converters: the exact text, and what a stand-in for the tool receives."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from src.deploy.ascend_converter import Conversion, aipp_config, convert_script, converter_config, write_converter_files
from src.images.preprocess import Preprocess

PREPROCESS = Preprocess(192)
MINDIR, ONNX = Path("net.mindir"), Path("net.onnx")
AIPP = """\
aipp_op {
  aipp_mode: static
  related_input_rank: 0
  input_format: RGB888_U8
  src_image_size_w: 192
  src_image_size_h: 192
  csc_switch: false
  rbuv_swap_switch: false
  crop: false
  mean_chn_0: 0
  mean_chn_1: 0
  mean_chn_2: 0
  min_chn_0: 123.675
  min_chn_1: 116.28
  min_chn_2: 103.53
  var_reci_chn_0: 0.017124753
  var_reci_chn_1: 0.017507002
  var_reci_chn_2: 0.017429193
}
"""


def test_aipp_is_this_text():
    assert aipp_config(PREPROCESS) == AIPP


@pytest.mark.parametrize("preprocess", [PREPROCESS, Preprocess(64, 1.0, (0.5, 0.4, 1e-7), (0.25, 1e-4, 0.3))])
def test_aipp_computes_what_the_host_computes(preprocess):
    text = aipp_config(preprocess)
    minimum, factor = (
        np.array(re.findall(rf"{name}_chn_\d: ([0-9.]+)\n", text), np.float32) for name in ("min", "var_reci")
    )
    pixels = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 1, 3))
    on_chip = (pixels.astype(np.float32) - minimum) * factor
    on_host = np.moveaxis(preprocess.normalize(pixels), 0, -1)
    assert np.allclose(on_chip, on_host, rtol=1e-6, atol=0)


def test_converter_lite_gets_a_fixed_shape_as_a_flag():
    conversion = Conversion(MINDIR, "Ascend310P3", PREPROCESS, "fp16", 4)
    assert converter_config(conversion) == (
        "[acl_init_options]\nge.socVersion=Ascend310P3\n[ascend_context]\ninput_format=NCHW\n"
        "precision_mode=enforce_fp16\noutput_type=FP32\ninsert_op_config_file_path=net.aipp.cfg\n"
    )
    assert convert_script(conversion).endswith("  --inputShape=image:4,3,192,192\n")


def test_converter_lite_gets_gears_by_its_configuration():
    conversion = Conversion(MINDIR, "Ascend310P3", PREPROCESS, gears=(1, 8, 16))
    assert converter_config(conversion).endswith(
        "precision_mode=preferred_fp32\noutput_type=FP32\ninsert_op_config_file_path=net.aipp.cfg\n"
        "input_shape=image:[-1,3,192,192]\ndynamic_dims=[1],[8],[16]\n"
    )
    assert "inputShape" not in convert_script(conversion)


COMMANDS = {
    MINDIR: "--fmk=MINDIR --modelFile=my net.mindir --outputFile=my net.Ascend310B4 --saveType=MINDIR "
    "--optimize=ascend_oriented --configFile=my net.converter.cfg",
    ONNX: "--framework=5 --model=my net.onnx --output=my net.Ascend310B4 --soc_version=Ascend310B4 --input_format=NCHW "
    "--input_shape=image:-1,3,192,192 --dynamic_batch_size=1,8 --insert_op_conf=my net.aipp.cfg "
    "--precision_mode=allow_fp32_to_fp16 --output_type=FP32",
}


@pytest.mark.parametrize("kind, tool", [(MINDIR, "converter_lite"), (ONNX, "atc")])
def test_the_script_calls_its_tool_in_its_own_folder(kind, tool, tmp_path):
    file = tmp_path / f"my {kind}"
    written = write_converter_files(Conversion(file, "Ascend310B4", PREPROCESS, gears=(1, 8)))
    assert all(path.parent == tmp_path for path in written)
    assert [path.name for path in written if path.suffix == ".sh"] == [f"{file.name}.convert.sh"]
    assert ("my net.converter.cfg" in [path.name for path in written]) == (kind == MINDIR)

    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / tool
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nls "$PWD" | grep -c "aipp.cfg"\n')
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["bash", written[-1]],
        cwd="/",
        env={"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{COMMANDS[kind]}\n1\n"
