"""Rank tables: JSON files that list the devices of all machines of a cluster (HCCL's format).

{"server_list": [{"server_id": "10.0.0.1", "device": [{"device_id": "0"}, {"device_id": "1"}]}]}

Other keys, such as `device_ip` and `rank_id`, are for MindSpore, which reads the file too.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src.errors import UserError
from src.runtime.texts import read_json


class Device(BaseModel):
    """An NPU."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    device_id: str


class Server(BaseModel):
    """A machine: its address and its NPUs."""

    server_id: str
    device: list[Device]

    @property
    def device_ids(self) -> list[str]:
        """The numbers of the machine's NPUs."""
        return [device.device_id for device in self.device]


class RankTable(BaseModel):
    """All machines; the first is the master."""

    server_list: list[Server] = Field(min_length=1)


def read_rank_table(path: Path) -> RankTable:
    """Return the rank table of a file.

    Raises:
        UserError: the file cannot be read, is not a rank table, or has machines with different numbers of devices.
    """
    try:
        table = RankTable.model_validate(read_json(path))
    except OSError as error:
        raise UserError(f"cannot read the rank table {path}: {error.strerror}") from None
    except ValidationError as failure:
        fault = failure.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise UserError(
            f"{path} is not a rank table: {where}: {fault['msg']}; "
            "expected server_list, each server with its server_id, and its devices with their device_id"
        ) from None
    counts = [len(server.device) for server in table.server_list]
    if min(counts) < 1 or len(set(counts)) > 1:
        listed = ", ".join(map(str, counts))
        raise UserError(f"{path} lists {listed} devices; every node needs the same number, at least one")
    return table
