"""Any script as ranks of one job, started as the launcher starts train.py: start_ranks.py WORKERS LOGS SCRIPT ..."""

import sys
from pathlib import Path

from src.launch import supervisor
from src.launch.job import Job
from src.launch.plan import free_port

supervisor.SCHEDULER_GRACE = 2

if __name__ == "__main__":
    workers, logs, *command = sys.argv[1:]
    job = Job(int(workers), int(workers), port=free_port())
    sys.exit(supervisor.Supervisor(job, command, Path(logs)).run())
