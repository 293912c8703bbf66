"""Options of the distributed launcher, scripts/run_distribute_train.sh."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.options import Name, OptionalName, OptionalPath, Options, conflict, option

AUTO = "auto"


class LaunchFlags(Options):
    """The flags of the launcher. All other flags are those of train.py."""

    title: ClassVar[str] = "Launcher"

    data_path: Name = option(
        "digits",
        "folder with train/ and val/ (of a detector: in COCO's layout), or an embedded data set: `digits`, `scenes`",
    )
    config: OptionalPath = option(
        None, "YAML of the training; default config/digits.yaml for embedded data, else config/tinynet_c.yaml"
    )
    resume: OptionalName = option(None, "auto, or the checkpoint to resume from", title="auto|PATH")
    run_dir: OptionalPath = option(None, "folder of the run; default runs/CONFIG-DATE")
    device_target: Literal["auto", "Ascend", "GPU", "CPU"] = option(AUTO, "auto: NPUs if there are any, else the CPU")
    nodes: int = option(1, "number of machines", ge=1, le=10_000)
    node_rank: int = option(0, "number of this machine, from 0", ge=0, le=9_999)
    master_addr: str | None = option(None, "address of machine 0; needed with several machines")
    master_port: int = option(
        0, "free TCP port of machine 0; 0: any free port, or 8118 with several machines", ge=0, le=65535
    )


class LaunchConfig(LaunchFlags):
    """All that the launcher takes.

    `workers` has no flag, because train.py's flag of that name sets the threads that decode images.
    """

    # The arguments that may be given without a flag, in this order.
    POSITIONAL: ClassVar[tuple[str, ...]] = ("workers", "data_path", "config", "resume")

    workers: Name = option(
        AUTO, "workers on this machine, one per device, or a rank table (.json); auto: all NPUs, else 2 on the CPU"
    )

    @property
    def rank_table(self) -> Path | None:
        """The rank table that lists the devices, if there is one."""
        return Path(self.workers) if self.workers.endswith(".json") else None

    @field_validator("workers")
    @classmethod
    def _number_or_table(cls, workers: str) -> str:
        if workers == AUTO or workers.endswith(".json") or (workers.isdecimal() and int(workers) > 0):
            return workers
        raise ValueError("expected a number of workers from 1, `auto`, or a RANK_TABLE.json")

    @model_validator(mode="after")
    def _node_is_one_of_the_nodes(self) -> Self:
        if self.rank_table is not None:  # which lists the nodes
            return self
        if self.node_rank >= self.nodes:
            raise conflict("node_rank", f"expected 0 to {self.nodes - 1}, because nodes is {self.nodes}")
        if self.nodes > 1 and not self.master_addr:
            raise conflict("master_addr", "several nodes need --master_addr, the address of node 0", "nodes")
        return self
