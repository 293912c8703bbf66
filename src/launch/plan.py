"""Plan a job: how many workers start on which devices of which machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from src.config.launch import LaunchConfig
from src.errors import UserError
from src.launch.job import Job
from src.launch.rank_table import read_rank_table

PORT_OF_SEVERAL_MACHINES = 8118  # msrun's default; every machine must know it, so no free port can be searched
CPU_WORKERS = 2
LOCALHOST = "127.0.0.1"


def plan(config: LaunchConfig) -> Job:
    """Return what starts on this machine.

    Raises:
        UserError: the numbers do not fit each other or this machine, or the rank table cannot be read.
    """
    if config.rank_table is not None:
        return _plan_of_table(config.rank_table, config)
    npus = visible_npus() if config.device_target in ("auto", "Ascend") else []
    local = int(config.workers) if config.workers.isdecimal() else len(npus) or CPU_WORKERS
    if npus and local > len(npus):
        raise UserError(f"workers is {local}, but this machine has {len(npus)} NPUs; choose 1 to {len(npus)}")
    return _job(config, config.nodes, npus[:local], local, LOCALHOST)


def _plan_of_table(path: Path, config: LaunchConfig) -> Job:
    table = read_rank_table(path)
    nodes = len(table.server_list)
    if config.nodes not in (1, nodes):
        raise UserError(f"nodes is {config.nodes}, but {path} lists {nodes}; leave --nodes out")
    if config.node_rank >= nodes:
        raise UserError(f"node_rank is {config.node_rank}, but {path} lists {nodes} nodes; expected 0 to {nodes - 1}")
    devices = table.server_list[config.node_rank].device_ids
    master = table.server_list[0].server_id if nodes > 1 else LOCALHOST
    return _job(config, nodes, devices, len(devices), master, path.resolve())


def _job(
    config: LaunchConfig, nodes: int, devices: list[str], local: int, master: str, table: Path | None = None
) -> Job:
    """Return the job of one of `nodes` machines with `local` workers each; `master` is the default address."""
    return Job(
        local=local,
        total=local * nodes,
        first=local * config.node_rank,
        node_rank=config.node_rank,
        master=config.master_addr or master,
        port=config.master_port or (PORT_OF_SEVERAL_MACHINES if nodes > 1 else free_port()),
        devices=",".join(devices),
        rank_table=table,
    )


def visible_npus() -> list[str]:
    """Return the numbers of the Ascend devices that this process may use."""
    visible = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
    if visible:
        return visible.split(",")
    return sorted((path.name.removeprefix("davinci") for path in Path("/dev").glob("davinci[0-9]*")), key=int)


def free_port() -> int:
    """Return a TCP port that no process uses."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return probe.getsockname()[1]
