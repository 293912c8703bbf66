"""A rank or scheduler without MindSpore: toy_rank.py BEHAVIOUR FOLDER.

It writes files into FOLDER, which show the test and the toy scheduler how far it is: ready0, asked0, left0, ...
"""

import os
import signal
import sys
import time
from pathlib import Path

behaviour, folder = sys.argv[1], Path(sys.argv[2])
is_scheduler, rank = os.environ["MS_ROLE"] == "MS_SCHED", int(os.environ["RANK_ID"])


def wait_until_killed():
    while True:
        time.sleep(60)


if is_scheduler:
    if behaviour == "no_scheduler":
        print("Address already in use")
        sys.exit(1)
    while len(list(folder.glob("left*"))) < int(os.environ["MS_WORKER_NUM"]):
        time.sleep(0.05)
    sys.exit()
if behaviour == "obedient":
    signal.signal(signal.SIGTERM, lambda *_: ((folder / f"left{rank}").touch(), sys.exit(0)))
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, lambda *_: (folder / f"asked{rank}").touch())
(folder / f"ready{rank}").touch()
print(f"rank {rank} ready")
print("[INFO] DISTRIBUTED(1,7f,python):2026-01-01 [some.cc:1] Start] chatter")
if behaviour == "mistake":
    print("error: batch_size is 0", file=sys.stderr)
    sys.exit(2)
if behaviour == "crash" and rank == 1:
    print("the reason")
    os.kill(os.getpid(), signal.SIGKILL)
if behaviour == "done":
    (folder / f"left{rank}").touch()
    sys.exit()
wait_until_killed()
