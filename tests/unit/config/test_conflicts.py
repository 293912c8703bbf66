"""Checks between two options find a conflict in whatever order the options are declared."""

import pytest
from pydantic import ValidationError, create_model, model_validator

from src.config import (
    AugmentOptions,
    CostConfig,
    DetectTrainConfig,
    EvalConfig,
    ExportConfig,
    RecipeOptions,
    TrainConfig,
)
from src.config.options import CONFLICT, Options

CONFLICTS = [
    (AugmentOptions, {"autoaugment": True, "randaugment": 9}, "autoaugment", "RandAugment is on too; choose one"),
    (RecipeOptions, {"epochs": 2, "warmup_epochs": 2.5}, "warmup_epochs", "warm-up takes 2.5 epochs, the whole run 2;"),
    (RecipeOptions, {"nesterov": True, "momentum": 0}, "nesterov", "needs a momentum above 0"),
    (TrainConfig, {"freeze_backbone": True}, "freeze_backbone", "there are no trained weights to keep"),
    (TrainConfig, {"freeze_bn": True}, "freeze_bn", "there are no trained weights to keep"),
    (ExportConfig, {"file_format": "AIR", "precision": "fp16"}, "precision", "only MINDIR and ONNX files have it"),
    (ExportConfig, {"file_format": "CKPT", "input_type": "uint8"}, "input_type", "only MINDIR and ONNX files have it"),
    (ExportConfig, {"file_format": "AIR", "soc_version": "Ascend310P3"}, "soc_version", "only MINDIR and ONNX files"),
    (ExportConfig, {"precision": "int8", "calibration": "data"}, "precision", "add --file_format ONNX, or choose fp16"),
    (ExportConfig, {"precision": "fp16", "fold": False}, "precision", "leave --no-fold out"),
    (ExportConfig, {"file_format": "ONNX", "precision": "int8"}, "calibration", "int8 takes the ranges of activations"),
    (ExportConfig, {"soc_version": "Ascend310", "input_type": "uint8"}, "soc_version", "would normalize a second time"),
    (
        ExportConfig,
        {"soc_version": "Ascend310", "file_format": "ONNX", "precision": "int8", "calibration": "data"},
        "soc_version",
        "8-bit files run in ONNX Runtime",
    ),
    (
        EvalConfig,
        {"results": "a/r.csv", "table": "a/b/../r.csv"},
        "results",
        "results and table need files of their own",
    ),
    (CostConfig, {"plot": "a.png", "detect": True}, "plot", "pictures show classifiers"),
    (DetectTrainConfig, {"new_scenes": True, "data_path": "coco"}, "new_scenes", "drawn for data_path digits only"),
    (DetectTrainConfig, {"freeze_bn": True}, "freeze_bn", "there are no trained weights to keep"),
    (ExportConfig, {"gears": "1,8", "batch_size": 0}, "gears", "gears need --soc_version and --batch_size 0"),
    (ExportConfig, {"gears": "1,8", "soc_version": "Ascend310"}, "gears", "gears need --soc_version and --batch_size"),
]


def reversed_fields(schema):
    """Return `schema` with the same checks between fields, and its fields declared in the opposite order."""
    checks = schema.__pydantic_decorators__.model_validators
    fields = {name: (field.annotation, field) for name, field in reversed(schema.model_fields.items())}
    validators = {name: model_validator(mode="after")(check.func) for name, check in checks.items()}
    return create_model("Reversed", __base__=Options, __validators__=validators, **fields)


@pytest.mark.parametrize("order", [lambda schema: schema, reversed_fields], ids=["declared", "reversed"])
@pytest.mark.parametrize("schema, values, key, reason", CONFLICTS, ids=lambda value: str(value)[:40])
def test_a_conflict_is_found_and_its_key_is_named(schema, values, key, reason, order):
    with pytest.raises(ValidationError) as failure:
        order(schema).model_validate(values)
    (error,) = failure.value.errors()
    assert (error["type"], error["ctx"]["keys"][0]) == (CONFLICT, key)
    assert reason in error["msg"]


def test_fields_are_reversed():
    assert list(reversed_fields(RecipeOptions).model_fields) == list(RecipeOptions.model_fields)[::-1]


@pytest.mark.parametrize(
    "schema, values",
    [
        (AugmentOptions, {"autoaugment": True}),
        (RecipeOptions, {"epochs": 3}),
        (RecipeOptions, {"nesterov": True}),
        (TrainConfig, {"freeze_backbone": True, "ckpt": "w.ckpt"}),
        (TrainConfig, {"freeze_bn": True, "resume": "auto"}),
        (ExportConfig, {"file_format": "AIR", "precision": "fp32"}),
        (ExportConfig, {"file_format": "ONNX", "precision": "int8", "calibration": "data"}),
        (ExportConfig, {"gears": "1,8", "batch_size": 0, "soc_version": "Ascend310P3"}),
    ],
)
def test_options_that_fit_each_other_are_accepted(schema, values):
    schema.model_validate(values)
