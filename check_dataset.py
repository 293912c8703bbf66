"""Look through a data set as training would, and name every file that it would stumble over.

python check_dataset.py --data_path /data/imagenet --check_data full
"""

import sys

from src.cli import run
from src.config import CheckConfig


def check(config: CheckConfig) -> None:
    """Print what the data set holds, or all that is wrong with it."""
    from src.errors import UserError
    from src.images.folder import check_classes, open_split, resolve_data_path
    from src.runtime.workers import usable_workers

    root = resolve_data_path(config.data_path)
    train, val = open_split(root, "train"), open_split(root, "val")
    check_classes(train, val)
    workers = usable_workers(config.workers)
    faults = [fault for folder in (train, val) for fault in folder.faults(config.check_data, workers)]
    for fault in faults:
        print(fault)
    if faults:
        raise UserError(f"{root}: {len(faults)} bad files, listed above; remove or replace them")
    found = "not checked" if config.check_data == "off" else "none bad"
    print(f"{root}: {len(train):,} + {len(val):,} images in {len(train.classes)} classes, {found}")


if __name__ == "__main__":
    sys.exit(run(CheckConfig, check, __doc__))
