"""Options of the studies of search.py, twist, greedy, compound and baseline, and of their reports."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from src.config.common import ComputeOptions, ProgramOptions, known_model
from src.config.options import Name, OptionalName, OptionalPath, option, same_option

LARGEST_FACTOR = 100
EXPONENT = -0.07  # MnasNet (CVPR 2019), section 3, and EfficientNet (ICML 2019), section 4
EXPONENT_HELP = "w of the reward, top-1 * (MACs / target)^w"
RECIPE = Path(__file__).resolve().parents[2] / "config" / "search" / "proxy.yaml"


class PlacementOptions(ProgramOptions):
    """Where trials run. None of these changes a result."""

    title: ClassVar[str] = "Trials"
    other_keys: ClassVar[str] = "settings of a training stand in the YAML that `recipe` names"

    study: OptionalPath = option(None, "folder of the study, which the same command resumes; default runs/COMMAND")
    parallel: int = option(
        0,
        "trials at a time; 0: one per NPU, else one per core, as memory allows",
        ge=0,
        le=10_000,
    )
    threads: int = option(
        0, "threads that compute, per trial; 0: the cores shared by all trials; on a cluster 1", ge=0, le=1024
    )
    trial_minutes: float = option(
        0, "minutes after which a trial is ended; 0: five times the median of those done, at least 10", ge=0, le=1e6
    )
    ray_address: str | None = option(
        None,
        "run the trials on the Ray cluster of this head, HOST:PORT, or auto for that of this machine",
        pattern=r"^(auto|[^:/]+:[0-9]+|\[[0-9a-fA-F:]+\]:[0-9]+)$",
    )
    dry_run: bool = option(False, "list the first networks and what the study costs; train nothing")


class StudyOptions(PlacementOptions):
    """The network, data and recipe of every trial."""

    title: ClassVar[str] = "Trainings"

    model: OptionalName = option(
        "efficientnet_b0", "network that the study begins with: a name or an architecture file", title="MODEL_OR_FILE"
    )
    input_size: int = option(0, "side of its input image, pixels; 0: the network's own", ge=0, le=4096)
    data_path: Name = option(
        "scenes", "folder with train/CLASS/ and val/CLASS/ images, `digits`, or `scenes`: digits in cluttered scenes"
    )
    recipe: OptionalPath = option(
        RECIPE, "YAML of train.py with the recipe of a trial; the study sets network, data, run folder and seed"
    )
    epochs: int = option(0, "epochs of a trial; 0: as in the recipe", ge=0, le=10_000)
    device_target: Literal["auto", "Ascend", "GPU", "CPU"] = same_option(ComputeOptions, "device_target")
    seed: int = option(1, "seed of the study: it draws the networks, and trains them", ge=0, le=2**31 - 1)
    final_seeds: int = option(3, "trainings of each network of the final comparison, with other seeds", ge=0, le=100)

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str | None) -> str | None:
        return known_model(name)


class TwistConfig(StudyOptions):
    """All options of search.py twist."""

    title: ClassVar[str] = "Twist"

    trials: int = option(60, "networks of all budgets, with random r, d and w", ge=0, le=100_000)
    budget_trials: int = option(20, "networks of one budget, with random r and d", ge=0, le=100_000)
    budget: float = option(0.5, "that budget, as a share of the MACs of model", gt=0, le=1)
    tolerance: float = option(0.05, "largest relative difference of their MACs from the budget", gt=0, le=1)
    c_range: tuple[float, float] = option((0.05, 1.0), "smallest and largest share of the MACs of model")
    r_range: tuple[float, float] = option((0.4, 1.2), "smallest and largest factor of its resolution")
    d_range: tuple[float, float] = option((0.4, 1.6), "smallest and largest factor of its depth")
    w_range: tuple[float, float] = option((0.3, 1.3), "smallest and largest factor of its width")
    select: int = option(20, "networks that NSGA-III selects for the formula", ge=3, le=1000)
    final_budgets: tuple[float, float] = option((0.25, 0.5), "two budgets of the final comparison, shares of the MACs")

    @field_validator("c_range", "r_range", "d_range", "w_range", "final_budgets")
    @classmethod
    def _ordered(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not 0 < pair[0] <= pair[1] <= LARGEST_FACTOR:
            raise ValueError(f"expected two numbers above 0 and up to {LARGEST_FACTOR}, the smaller first")
        return pair


class GreedyConfig(StudyOptions):
    """All options of search.py greedy."""

    title: ClassVar[str] = "Greedy"

    target: float = option(2.0, "MACs of the network to reach, as a multiple of the MACs of model", gt=1, le=100)
    steps: int = option(4, "steps to it, each of which multiplies the MACs by the same factor", ge=1, le=1000)
    tolerance: float = option(0.05, "largest relative difference of a candidate's MACs from its step's", gt=0, le=1)
    blocks: int = option(
        8, "largest number of blocks that a step adds to a stage; channels spend what is left", ge=1, le=1000
    )


class CompoundConfig(StudyOptions):
    """All options of search.py compound."""

    title: ClassVar[str] = "Compound"

    grid_step: float = option(0.1, "distance of two values of alpha, beta or gamma", ge=0.02, le=1)
    growth: float = option(2.0, "alpha * beta^2 * gamma^2, the growth of the MACs for phi + 1", gt=1, le=4)
    grid_tolerance: float = option(0.1, "largest difference of that product from growth", gt=0, le=4)
    exponent: float = option(EXPONENT, EXPONENT_HELP + ", with growth * MACs of model as the target", ge=-10, le=0)
    family: int = option(3, "scale model by the best coefficients for phi = 1 to this", ge=1, le=20)


class BaselineConfig(StudyOptions):
    """All options of search.py baseline."""

    title: ClassVar[str] = "Baseline"

    target: float = option(1.0, "MACs that the reward aims at, as a multiple of the MACs of model", gt=0, le=100)
    exponent: float = option(EXPONENT, EXPONENT_HELP, ge=-10, le=0)
    population: int = option(10, "networks of a generation", ge=2, le=10_000)
    generations: int = option(4, "generations", ge=1, le=10_000)


class ReportConfig(ProgramOptions):
    """All options of search.py report."""

    title: ClassVar[str] = "Report"

    studies: tuple[Name, ...] = option((), "folders of studies, also of one that still runs", title="STUDY")
    optuna: OptionalPath = option(None, "write the trials to this journal for optuna-dashboard, which must be new")
