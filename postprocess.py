"""Score what the C++ program found in images, by the names of their folders, a label file, or objects in COCO's format.

python postprocess.py --results results.json --data_path /data/imagenet
python postprocess.py --results result_Files --label_file imagenet_label.json
python postprocess.py --results objects.json --data_path /data/coco
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import ScoreConfig


def postprocess(config: ScoreConfig) -> None:
    """Print the accuracy and the images without result; with --json, the last line is JSON."""
    from src.scoring.score import score_results

    score_results(config)


if __name__ == "__main__":
    sys.exit(run(ScoreConfig, postprocess, __doc__))
