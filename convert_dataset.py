"""Convert a data set of many small files to a few large MindRecord files, which disks and networks read faster.

python convert_dataset.py --data_path /data/imagenet --output /data/imagenet-256 --short_side 256

Train and evaluate with --data_path of the new folder. The same command resumes an interrupted conversion.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import ConvertConfig


def main(config: ConvertConfig) -> None:
    """Convert both splits."""
    from src.images.convert import convert

    convert(config)


if __name__ == "__main__":
    sys.exit(run(ConvertConfig, main, __doc__))
