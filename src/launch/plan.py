"""One training on many devices of one machine or of several.

    bash scripts/run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]

Flags that are not listed here go to train.py. Several machines: the same command on each, with --nodes N, --node_rank I
and --master_addr ADDRESS_OF_MACHINE_0.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from pathlib import Path

from src.cli import Parser, underscored
from src.errors import UserError
from src.launch.supervisor import Job, Launch

PROJECT = Path(__file__).resolve().parents[2]
PORT_OF_SEVERAL_MACHINES = 8118  # which all of them must know; alone, any free one is taken
CPU_WORKERS = 2
POSITIONAL = ("workers", "data_path", "config", "resume")
TABLE_FORM = "expected server_list, each server with its server_id, and its devices with their device_id"


def parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Own arguments, and the flags for train.py. Positional ones come first: a flag's value is never taken for one.

    Raises:
        UserError: too many positional arguments, a value of a wrong type.
    """
    parser = Parser(
        prog="run_distribute_train.sh",
        usage="%(prog)s [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(workers=None)
    parser.add_argument("--data_path", help="folder with train/ and val/ [the embedded digits]")
    parser.add_argument("--config", help="YAML [config/tinynet_c.yaml; config/digits.yaml for the digits]")
    parser.add_argument("--resume", help="auto, or a checkpoint to go on from")
    parser.add_argument("--run_dir", type=Path, help="where the run is kept [runs/CONFIG-DATE]")
    parser.add_argument("--device_target", default="auto", help="[NPUs if there are any, else the CPU]")
    parser.add_argument("--nodes", type=int, default=1, help="machines [1]")
    parser.add_argument("--node_rank", type=int, default=0, help="number of this machine, from 0")
    parser.add_argument("--master_addr", help="address of machine 0")
    parser.add_argument("--master_port", type=int, default=0, help="free on machine 0 [any; 8118 for several machines]")
    count = next((index for index, word in enumerate(argv) if word.startswith("-")), len(argv))
    args, flags = parser.parse_known_args([underscored(word) for word in argv[count:]])
    if count > len(POSITIONAL):
        raise UserError(f"got {count} arguments before the flags, expected at most {len(POSITIONAL)}: {parser.usage}")
    for name, value in zip(POSITIONAL, argv[:count], strict=False):
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.workers, args.data_path = args.workers or "", args.data_path or "digits"
    return args, flags


def npus() -> list[str]:
    """Numbers of the Ascend devices that this process may use."""
    visible = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
    if visible:
        return visible.split(",")
    return sorted((path.name.removeprefix("davinci") for path in Path("/dev").glob("davinci[0-9]*")), key=int)


def plan(args: argparse.Namespace) -> Job:
    """How many workers are started where.

    Raises:
        UserError: the numbers do not fit each other or this machine, or the rank table cannot be read.
    """
    if args.workers.endswith(".json"):
        return _plan_of_table(Path(args.workers), args)
    _check_node(args.node_rank, args.nodes)
    if args.nodes > 1 and not args.master_addr:
        raise UserError("master_addr is missing: several nodes need --master_addr, the address of node 0")
    if args.workers not in ("", "auto") and not args.workers.isdecimal():
        raise UserError(f"the first argument is {args.workers!r}; expected a number of workers or a RANK_TABLE.json")
    found = npus() if args.device_target in ("auto", "Ascend") else []
    local = int(args.workers) if args.workers.isdecimal() else len(found) or CPU_WORKERS
    if local < 1:
        raise UserError("0 workers were asked for; expected at least 1")
    if found and local > len(found):
        raise UserError(f"{local} workers were asked for, this machine has {len(found)} NPUs; take 1 to {len(found)}")
    port = args.master_port or (PORT_OF_SEVERAL_MACHINES if args.nodes > 1 else free_port())
    master = args.master_addr or "127.0.0.1"
    return Job(local, local * args.nodes, local * args.node_rank, args.node_rank, master, port, ",".join(found[:local]))


def _plan_of_table(table: Path, args: argparse.Namespace) -> Job:
    """A rank table of older clusters: its servers are the nodes, the first of them leads."""
    try:
        servers = json.loads(table.read_text(encoding="utf-8"))["server_list"]
        devices = [[str(device["device_id"]) for device in server["device"]] for server in servers]
        master = servers[0]["server_id"]
    except OSError as error:
        raise UserError(f"cannot read the rank table {table}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError):
        raise UserError(f"{table} is no rank table: {TABLE_FORM}") from None
    nodes, local = len(servers), len(devices[0])
    if not local or any(len(row) != local for row in devices):
        counts = ", ".join(str(len(row)) for row in devices)
        raise UserError(f"{table} lists {counts} devices; all nodes need as many, and at least one")
    if args.nodes not in (1, nodes):
        raise UserError(f"nodes is {args.nodes}, but {table} lists {nodes}; leave --nodes out")
    _check_node(args.node_rank, nodes)
    master = args.master_addr or (master if nodes > 1 else "127.0.0.1")
    port = args.master_port or (PORT_OF_SEVERAL_MACHINES if nodes > 1 else free_port())
    mine = ",".join(devices[args.node_rank])
    return Job(local, local * nodes, local * args.node_rank, args.node_rank, master, port, mine, table.resolve())


def _check_node(rank: int, nodes: int) -> None:
    if not 0 <= rank < nodes:
        raise UserError(f"node_rank is {rank} of {nodes} nodes; expected 0 to {nodes - 1}")


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def training(args: argparse.Namespace, flags: list[str], date: str) -> tuple[list[str], Path]:
    """train.py with its arguments, and the folder of the run.

    Raises:
        UserError: there is no such checkpoint to go on from.
    """
    config = args.config or PROJECT / "config" / ("digits.yaml" if args.data_path == "digits" else "tinynet_c.yaml")
    run = args.run_dir or Path("runs") / f"{Path(config).stem}-{date}"
    if args.resume == "auto" and not args.run_dir:
        raise UserError("resume is auto, but no run is named; give --run_dir")
    if args.resume and args.resume != "auto":
        if not Path(args.resume).is_file():
            raise UserError(f"resume: there is no checkpoint {args.resume}")
        run = args.run_dir or Path(args.resume).resolve().parent.parent
    command = [str(PROJECT / "train.py"), "--config", str(config), "--data_path", args.data_path, *flags]
    return [*command, "--run_dir", str(run), *(["--resume", args.resume] if args.resume else [])], run


def main(argv: list[str]) -> int:
    """Start, wait, and return the exit status."""
    try:
        args, flags = parse(argv)
        if args.data_path != "digits" and not Path(args.data_path).expanduser().is_dir():  # before any worker starts
            raise UserError(f"data_path {args.data_path}: there is no such folder; it holds train/CLASS and val/CLASS")
        job, date = plan(args), time.strftime("%Y%m%d-%H%M%S")
        command, run = training(args, flags, date)
        logs = run / "logs" / f"{date}-{job.node_rank}-{os.getpid()}"
        target = args.device_target if job.devices or args.device_target != "auto" else "CPU"
        none = "CPU: no NPU was found" if args.device_target == "auto" else target
        where = f"NPUs {job.devices}" if job.devices else none
        more = f", ranks {job.first} to {job.first + job.local - 1} of {job.total}" if job.total > job.local else ""
        print(f"{job.local} workers on {where}{more}; their logs: {logs}", flush=True)
        return Launch(job, [*command, "--device_target", target], logs).run()
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
