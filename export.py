"""Export a trained network for deployment, and verify that the file computes the same logits.

python export.py --model tinynet_c --ckpt tinynet_c.safetensors --file_format MINDIR --batch_size 0
python export.py --ckpt runs/quickstart/checkpoints/best.ckpt --file_format ONNX --file_name digits
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which is missing with PYTHONSAFEPATH=1

from src.cli import run
from src.config import ExportConfig


def export(config: ExportConfig) -> None:
    """Write FILE_NAME.mindir, .onnx or .air with FILE_NAME.json, or a file of weights."""
    from src.deploy.exporter import export_checkpoint

    export_checkpoint(config)


if __name__ == "__main__":
    sys.exit(run(ExportConfig, export, __doc__))
