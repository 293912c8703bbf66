"""A training that takes no time, in place of train.py: fake_training.py --run_dir FOLDER --epochs N --model FILE ...

The file `plan.json` beside the study says how the starts of a trial end, by its number: {"3": ["exit 1", "done"]}.
Trials that it does not name are done, with an accuracy that follows from their network's file.
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path


def write_metrics(run_dir: Path, epochs: int, network: bytes) -> None:
    """Write the last row of a training; the same network gives the same accuracy."""
    top1 = hashlib.sha256(network).digest()[0] / 2.56
    (run_dir / "metrics.csv").write_text(f"epoch,raw_top1,raw_loss\n{epochs},{top1:.6g},{(100 - top1) / 100:.6g}\n")


def main() -> None:
    """Do what the plan says about this start."""
    options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    run_dir = Path(options["--run_dir"])
    lock = open(run_dir / ".lock", "w")  # noqa: SIM115 - held until the end, as train.py does
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (run_dir / "device").write_text(os.environ.get("ASCEND_RT_VISIBLE_DEVICES", ""))
    starts = run_dir / "starts"
    start = len(starts.read_text()) if starts.exists() else 0
    starts.write_text("x" * (start + 1))
    plan = run_dir.parents[2] / "plan.json"
    actions = json.loads(plan.read_text()).get(str(int(run_dir.name)), []) if plan.exists() else []
    action, _, word = (actions[min(start, len(actions) - 1)] if actions else "done").partition(" ")
    if action == "hang":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # train.py saves, and ends without its last epoch
        (run_dir / "hangs").write_text(str(os.getpid()))
        while True:
            time.sleep(60)
    if action == "signal":
        os.kill(os.getpid(), signal.Signals[word])
    if action == "exit":
        print("error: " + {"2": "a mistake", "3": "the loss is nan"}.get(word, "an accident"), file=sys.stderr)
        sys.exit(int(word))
    if action == "memory":
        raise MemoryError
    write_metrics(run_dir, int(options["--epochs"]), Path(options["--model"]).read_bytes())


if __name__ == "__main__":
    main()
