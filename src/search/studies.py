"""search.py twist, greedy, compound and baseline: studies of the methods of the papers."""

from __future__ import annotations

from src.config import BaselineConfig, CompoundConfig, GreedyConfig, TwistConfig
from src.search.methods.baseline import Baseline
from src.search.methods.compound import CompoundSearch
from src.search.methods.greedy import Greedy
from src.search.methods.twist import Twist
from src.search.report.view import read_study
from src.search.report.write import check_packages, write_report
from src.search.study.run import Method, Study, plan_lines, run_study


def twist(config: TwistConfig) -> None:
    """Search how resolution, depth and width of the best networks depend on the budget, and fit the tiny formula.

    python search.py twist --config config/search/twist_scenes.yaml
    python search.py twist --config config/search/twist_scenes.yaml --dry_run

    The same command resumes a study that was stopped or killed, and repeats no finished trial.

    Raises:
        UserError: a setting, the recipe or the data is wrong, or the folder holds another study.
    """
    study = Study("twist", config)
    _run(study, Twist(config, study.base, study.data.classes))


def greedy(config: GreedyConfig) -> None:
    """Enlarge a network step by step, each time where it gains most: Greedy Network Enlarging.

    python search.py greedy --config config/search/greedy_scenes.yaml
    python search.py greedy --model ghostnet_100 --data_path IMAGENET_100 --target 4 --dry_run

    Each step trains a candidate for the depth and for the width of every stage, and one for the resolution.

    Raises:
        UserError: a setting, the recipe or the data is wrong, nothing can grow, or the folder holds another study.
    """
    study = Study("greedy", config)
    _run(study, Greedy(config, study.base, study.data.classes))


def compound(config: CompoundConfig) -> None:
    """Search the coefficients of compound scaling on a grid, as EfficientNet did.

    python search.py compound --config config/search/compound_scenes.yaml
    python search.py compound --grid_step 0.05 --dry_run

    alpha, beta and gamma are the factors of depth, width and resolution for phi = 1.

    Raises:
        UserError: a setting, the recipe or the data is wrong, or the folder holds another study.
    """
    study = Study("compound", config)
    _run(study, CompoundSearch(config, study.base, study.data.classes))


def baseline(config: BaselineConfig) -> None:
    """Search a baseline network by multi-objective evolution in the space of MnasNet.

    python search.py baseline --config config/search/baseline_scenes.yaml
    python search.py baseline --target 0.5 --dry_run

    Its networks differ from model in block, kernel, width, repeats, squeeze-excite and skip of each stage.

    Raises:
        UserError: a setting, the recipe or the data is wrong, pymoo is missing, or the folder holds another study.
    """
    study = Study("baseline", config)
    _run(study, Baseline(config, study.base, study.data.classes))


def _run(study: Study, method: Method) -> None:
    if study.config.dry_run:
        print("\n".join(plan_lines(study, method)))
        return
    check_packages()
    run_study(study, method)
    print(write_report(read_study(study.folder)))
