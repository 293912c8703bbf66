"""Train on many devices of one machine or of several.

    bash scripts/run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]

All other flags go to train.py. Several machines: run the same command on each, with --nodes N, --node_rank I and
--master_addr ADDRESS_OF_MACHINE_0.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from src.cli import Parser, validate
from src.config.launch import LaunchConfig, LaunchFlags
from src.config.options import EMBEDDED
from src.errors import UserError
from src.launch.job import Job
from src.launch.plan import plan
from src.launch.supervisor import Supervisor
from src.launch.train_command import train_command
from src.runtime.streams import drop_output, prepare_streams, report

USAGE = "%(prog)s [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]"


def main(argv: list[str]) -> int:
    """Start the training that `argv` describes, wait for its end and return the exit status."""
    prepare_streams()
    try:
        config, train_flags = parse(argv)
        check_data_path(config.data_path)
        job = plan(config)
        target = "CPU" if config.device_target == "auto" and not job.devices else config.device_target
        command, run_dir = train_command(config, [*train_flags, "--device_target", target])
        logs = run_dir / "logs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{job.node_rank}-{os.getpid()}"
        print(f"{describe(job, config)}; their logs: {logs}", flush=True)
        status = Supervisor(job, command, logs).run()
        drop_output()
        return status
    except (UserError, OSError) as error:
        return report(error)


def parse(argv: list[str]) -> tuple[LaunchConfig, list[str]]:
    """Return the launcher's configuration and the flags for train.py.

    Arguments without a flag come first, so that the value of one of train.py's flags is never taken for one.
    An empty argument means its default; an empty data path and an empty flag are mistakes, because a variable may not
    be set. A flag overrules the argument of the same name.

    Raises:
        UserError: too many arguments before the flags, or a value that is not allowed.
    """
    parser = Parser(LaunchFlags, prog="run_distribute_train.sh", usage=USAGE, description=__doc__)
    count = next((index for index, word in enumerate(argv) if word.startswith("-")), len(argv))
    if count > len(LaunchConfig.POSITIONAL):
        expected = f"expected at most {len(LaunchConfig.POSITIONAL)}"
        raise UserError(f"got {count} arguments before the flags, {expected}: {USAGE % {'prog': parser.prog}}")
    flags, train_flags = parser.flags(argv[count:])
    arguments = zip(LaunchConfig.POSITIONAL, argv[:count], strict=False)
    values = {key: value for key, value in arguments if value or key == "data_path"} | flags
    return validate(LaunchConfig, values, dict.fromkeys(values, "command line")), train_flags


def check_data_path(data_path: str) -> None:
    """Check the data set before any worker starts to look for it.

    Raises:
        UserError: the folder does not exist.
    """
    if data_path not in EMBEDDED and not Path(data_path).is_dir():
        raise UserError(
            f"data_path {data_path}: there is no such folder; expected one with train/CLASS and val/CLASS, or for a "
            "detector one in COCO's layout"
        )


def describe(job: Job, config: LaunchConfig) -> str:
    """Return how many workers start on which devices, in a few words."""
    if job.devices:
        where = f"NPUs {job.devices}"
    elif config.device_target == "auto":
        where = "the CPU, because no NPU was found"
    else:
        where = config.device_target
    ranks = f", ranks {job.first} to {job.first + job.local - 1} of {job.total}" if job.total > job.local else ""
    return f"{job.local} workers on {where}{ranks}"
