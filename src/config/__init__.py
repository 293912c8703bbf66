"""The settings of every command as one typed schema; YAML keys, command-line flags and `--help` are made from it.

A setting is declared once, as a field with its type, range, default and help text. A class is a group of `--help` or
a command; a file holds one command or a few that belong together. `src/cli.py` fills a schema from flags and YAML.

May import: `errors`, `design` (names of networks and suffixes of their files). Nothing here imports MindSpore.
"""

from src.config.common import (
    BatchOptions,
    ComputeOptions,
    DataOptions,
    DeviceOptions,
    ImageOptions,
    ModelOptions,
    ProgramOptions,
)
from src.config.data import CheckConfig, ConvertConfig
from src.config.detect import (
    CocoOptions,
    DetectAugmentOptions,
    DetectEvalConfig,
    DetectorOptions,
    DetectPredictConfig,
    DetectTrainConfig,
    PostprocessOptions,
)
from src.config.evaluate import EvalConfig, PredictConfig
from src.config.export import DetectExportConfig, ExportConfig, ExportOptions
from src.config.imagenet100 import Imagenet100Config
from src.config.launch import LaunchConfig, LaunchFlags
from src.config.options import Options, key_of, keys, option
from src.config.score import ScoreConfig
from src.config.search import CompareConfig, CostConfig, FormulaConfig, PlotOptions, TableConfig
from src.config.study import (
    BaselineConfig,
    CompoundConfig,
    GreedyConfig,
    ReportConfig,
    StudyOptions,
    TwistConfig,
)
from src.config.train import (
    AugmentOptions,
    ClassifierOptions,
    MixOptions,
    RecipeOptions,
    RunOptions,
    TrainConfig,
    TrainingConfig,
)

COMMANDS = (  # the schemas whose keys a YAML file may have
    *(TrainConfig, CheckConfig, ConvertConfig, EvalConfig, ExportConfig, PredictConfig),
    *(ScoreConfig, CostConfig, FormulaConfig, CompareConfig, TableConfig),
    *(DetectTrainConfig, DetectEvalConfig, DetectExportConfig, DetectPredictConfig),
    *(TwistConfig, GreedyConfig, CompoundConfig, BaselineConfig, ReportConfig),
    Imagenet100Config,
)

__all__ = [
    "COMMANDS",
    "AugmentOptions",
    "BaselineConfig",
    "BatchOptions",
    "CheckConfig",
    "ClassifierOptions",
    "CocoOptions",
    "CompareConfig",
    "ComputeOptions",
    "CompoundConfig",
    "ConvertConfig",
    "CostConfig",
    "DataOptions",
    "DetectAugmentOptions",
    "DetectEvalConfig",
    "DetectExportConfig",
    "DetectPredictConfig",
    "DetectTrainConfig",
    "DetectorOptions",
    "DeviceOptions",
    "EvalConfig",
    "ExportConfig",
    "ExportOptions",
    "FormulaConfig",
    "GreedyConfig",
    "ImageOptions",
    "Imagenet100Config",
    "LaunchConfig",
    "LaunchFlags",
    "MixOptions",
    "ModelOptions",
    "Options",
    "PlotOptions",
    "PredictConfig",
    "PostprocessOptions",
    "ProgramOptions",
    "RecipeOptions",
    "ReportConfig",
    "RunOptions",
    "ScoreConfig",
    "StudyOptions",
    "TableConfig",
    "TrainConfig",
    "TrainingConfig",
    "TwistConfig",
    "key_of",
    "keys",
    "option",
]
