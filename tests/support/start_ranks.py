"""Any script as ranks of one job, started as the launcher starts train.py: start_ranks.py WORKERS LOGS SCRIPT ..."""

import sys
from pathlib import Path

from src.launch import supervisor as msrun
from src.launch.plan import free_port

msrun.SCHEDULER_LEADS = 2

if __name__ == "__main__":
    workers, logs, *command = sys.argv[1:]
    job = msrun.Job(int(workers), int(workers), port=free_port())
    sys.exit(msrun.Launch(job, command, Path(logs)).run())
