"""search.py cost: parameters, multiply-adds and activations of networks."""

from __future__ import annotations

import json
from typing import Any

from src.config import CostConfig
from src.design.architecture import Architecture
from src.design.cost import cost_table, total_cost
from src.design.families import ARCHITECTURES, find_architecture
from src.errors import UserError
from src.search.columns import aligned
from src.search.network_table import network_table
from src.search.pictures import draw_families, draw_stages


def show_cost(config: CostConfig) -> None:
    """Print parameters, multiply-adds and activations of networks, stage by stage.

    python search.py cost tinynet_c
    python search.py cost --all --plot families.png

    Raises:
        UserError: no network is named, or a network is unknown.
    """
    names = dict.fromkeys((*config.models, *(ARCHITECTURES if config.every else ())))
    networks = [find_architecture(name) for name in names]
    if not networks:
        raise UserError("models are missing: name some, such as `search.py cost tinynet_c`, or give --all")
    if config.input_size:
        networks = [network.at(config.input_size) for network in networks]
    if config.plot and len(networks) == 1:
        draw_stages(networks[0], config.plot)
    elif config.plot:
        draw_families(networks, config.plot)
    if config.as_json:
        for network in networks:
            print(json.dumps(_as_dict(network, config.num_classes)))
    elif config.every:
        print(_overview(networks, config.num_classes))
    else:
        print("\n\n".join(network_table(network, config.num_classes) for network in networks))


def _as_dict(network: Architecture, num_classes: int) -> dict[str, Any]:
    rows = [
        {"name": row.name, "channels": row.channels, "size": row.size, **row.cost._asdict()}
        for row in cost_table(network, num_classes)
    ]
    total = total_cost(network, num_classes)._asdict()
    return {"model": network.name, "resolution": network.resolution, **total, "parts": rows}


def _overview(networks: list[Architecture], num_classes: int) -> str:
    rows: list[tuple[object, ...]] = [("network", "pixels", "M MACs", "parameters", "M activations")]
    for network in networks:
        cost = total_cost(network, num_classes)
        macs, activations = f"{cost.macs / 1e6:,.2f}", f"{cost.activations / 1e6:,.2f}"
        rows.append((network.name, network.resolution, macs, f"{cost.parameters:,}", activations))
    return aligned(rows)
