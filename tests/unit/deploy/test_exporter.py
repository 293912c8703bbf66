"""export.py: flags that exclude each other, the path of the file, and the files for Ascend's converters."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from support.exporting import ANY_BATCH, export

from src.cli import parse
from src.config import ExportConfig
from src.deploy.exporter import output_path
from src.errors import UserError


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--file_format AIR --precision fp16", "precision is 'fp16': only MINDIR and ONNX files have it"),
        ("--file_format CKPT --input_type uint8", "input_type is 'uint8': only MINDIR and ONNX files have it"),
        ("--file_format AIR --soc_version Ascend310P3", "soc_version is 'Ascend310P3': only MINDIR and ONNX files"),
        ("--precision int8 --calibration x", "8-bit files are ONNX; add --file_format ONNX"),
        ("--precision fp16 --no-fold", "BatchNorm is computed in fp32; leave --no-fold out"),
        ("--precision int8 --file_format ONNX", "calibration is None: int8 takes the ranges of activations from"),
        ("--soc_version 310P3", "soc_version is '310P3': expected `Ascend` and the chip's name"),
        ("--soc_version Ascend310P3 --input_type uint8", "AIPP on the chip would normalize a second time"),
        ("--soc_version Ascend310P3 --precision int8 --file_format ONNX --calibration x", "run in ONNX Runtime"),
        ("--gears 1,8 --batch_size 0", "gears need --soc_version and --batch_size 0"),
        ("--gears 1,8 --soc_version Ascend310P3", "gears need --soc_version and --batch_size 0"),
        ("--gears 1,x --soc_version Ascend310P3 --batch_size 0", "expected up to 100 whole numbers"),
        ("--gears 1,4096 --soc_version Ascend310P3 --batch_size 0", "from 1 to 2048"),
    ],
)
def test_flags_that_exclude_each_other_are_refused(flags, words):
    with pytest.raises(UserError) as error:
        parse(ExportConfig, flags.split())
    assert words in str(error.value)


def test_the_suffix_of_the_format_is_appended():
    config = ExportConfig(file_name=Path("a/net"), file_format="ONNX")
    assert output_path(config, SimpleNamespace(name="tinynet_e")) == Path("a/net.onnx")


def test_a_suffix_that_is_there_is_not_repeated():
    config = ExportConfig(file_name=Path("a/net.onnx"), file_format="ONNX")
    assert output_path(config, SimpleNamespace(name="tinynet_e")) == Path("a/net.onnx")


def test_by_default_the_file_has_the_name_of_the_model():
    assert output_path(ExportConfig(file_format="MINDIR"), SimpleNamespace(name="tinynet_e")) == Path(
        "tinynet_e.mindir"
    )


def test_files_for_the_converters_are_beside_the_file(exported):
    folder = exported("MINDIR", ANY_BATCH).parent
    assert {"a net.aipp.cfg", "a net.converter.cfg", "a net.mindir.convert.sh"} <= {p.name for p in folder.iterdir()}


def test_aipp_has_the_size_of_the_input(exported):
    path = exported("MINDIR", ANY_BATCH).with_name("a net.aipp.cfg")
    assert "src_image_size_w: 64\n" in path.read_text()


def test_gears_reach_the_converter(exported):
    path = exported("MINDIR", ANY_BATCH).with_name("a net.converter.cfg")
    assert "dynamic_dims=[1],[8]\n" in path.read_text()


def test_air_says_that_it_needs_ascend(trained):
    with pytest.raises(UserError, match="AIR needs an Ascend machine, this one has CPU; MINDIR"):
        export(trained[1], "--file_format", "AIR")
