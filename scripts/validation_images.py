"""Print the folder of a data set's validation images, for scripts/run_infer_310.sh; nothing without annotations.

python scripts/validation_images.py /data/coco
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.detection.layout import find_annotations, open_coco, resolve_coco_path
from src.errors import UserError


def main(data_path: str) -> int:
    """Print the folder and return the exit status."""
    try:
        root = resolve_coco_path(data_path)
        if not root.is_dir() or find_annotations(root, "val"):
            print(open_coco(root, "val").folder)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
