"""search.py twist, greedy, compound and baseline: studies of the methods of the papers."""

from __future__ import annotations

from src.config import TwistConfig
from src.search.methods.twist import Twist
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


def _run(study: Study, method: Method) -> None:
    if study.config.dry_run:
        print("\n".join(plan_lines(study, method)))
    else:
        run_study(study, method)
