"""Start any script as the ranks of one job, as the launcher starts train.py: start_ranks.py WORKERS LOGS SCRIPT ..."""

import sys
from pathlib import Path

from src.launch.job import Job
from src.launch.plan import free_port
from src.launch.supervisor import Supervisor

if __name__ == "__main__":
    workers, logs, *command = sys.argv[1:]
    job = Job(int(workers), int(workers), port=free_port())
    sys.exit(Supervisor(job, command, Path(logs)).run())
