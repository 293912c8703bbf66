"""search.py cost: parameters, multiply-adds and activations of networks, and of detectors on them."""

from __future__ import annotations

import json
from typing import Any

from src.config import CostConfig
from src.design.architecture import Architecture
from src.design.cost import Cost, Row, cost_table, total, total_cost
from src.design.detector import Detector, detector_cost, detector_cost_table
from src.design.families import ARCHITECTURES, find_architecture
from src.errors import UserError
from src.search.columns import aligned
from src.search.network_table import detector_table, network_table
from src.search.pictures import draw_families, draw_stages

IMAGENET_CLASSES, COCO_CLASSES = 1000, 80
DETECTOR_SIZE = 320  # pixels: the input of most published SSDLites


def show_cost(config: CostConfig) -> None:
    """Print parameters, multiply-adds and activations of networks or detectors, stage by stage.

    python search.py cost tinynet_c
    python search.py cost tinynet_d --detect --num_classes 80
    python search.py cost --all --plot families.png

    Raises:
        UserError: no network is named, or a network is unknown.
    """
    names = dict.fromkeys((*config.models, *(ARCHITECTURES if config.every else ())))
    networks = [find_architecture(name) for name in names]
    if not networks:
        raise UserError("models are missing: name some, such as `search.py cost tinynet_c`, or give --all")
    if size := config.input_size or (DETECTOR_SIZE if config.detect else 0):
        networks = [network.at(size) for network in networks]
    if config.plot and len(networks) == 1:
        draw_stages(networks[0], config.plot)
    elif config.plot:
        draw_families(networks, config.plot)
    classes = config.num_classes or (COCO_CLASSES if config.detect else IMAGENET_CLASSES)
    detectors = [Detector(network, classes, config.last_map) for network in networks] if config.detect else []
    if config.as_json:
        parts = [detector_cost_table(d) for d in detectors] or [cost_table(network, classes) for network in networks]
        for index, rows in enumerate(parts):
            more = {"anchors": detectors[index].anchors} if config.detect else {}
            print(json.dumps(_as_dict(networks[index], rows, more)))
    elif config.every:
        print(_overview(networks, [detector_cost(d) for d in detectors] or [total_cost(n, classes) for n in networks]))
    elif config.detect:
        print("\n\n".join(detector_table(detector) for detector in detectors))
    else:
        print("\n\n".join(network_table(network, classes) for network in networks))


def _as_dict(network: Architecture, rows: list[Row], more: dict[str, Any]) -> dict[str, Any]:
    parts = [{"name": row.name, "channels": row.channels, "size": row.size, **row.cost._asdict()} for row in rows]
    whole = total(row.cost for row in rows)._asdict()
    return {"model": network.name, "resolution": network.resolution, **more, **whole, "parts": parts}


def _overview(networks: list[Architecture], costs: list[Cost]) -> str:
    rows: list[tuple[object, ...]] = [("network", "pixels", "M MACs", "parameters", "M activations")]
    for network, cost in zip(networks, costs, strict=True):
        macs, activations = f"{cost.macs / 1e6:,.2f}", f"{cost.activations / 1e6:,.2f}"
        rows.append((network.name, network.resolution, macs, f"{cost.parameters:,}", activations))
    return aligned(rows)
