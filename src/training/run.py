"""Build a run: device, ranks, folder, task, compiled step, and the progress of the checkpoint it resumes from."""

from __future__ import annotations

import logging
from typing import Any

import mindspore as ms
import numpy as np

from src.config import TrainingConfig
from src.errors import UserError
from src.kernels.library import Choice, choose_kernels, library
from src.models import chosen_weights
from src.runtime import device, distributed
from src.runtime.logs import log_to
from src.training.checkpoint import load_state, share_state
from src.training.optimizers import build_optimizer
from src.training.precision import needs_loss_scale, with_precision
from src.training.progress import header
from src.training.resume import broadcast_meta, check_same_run, find_run
from src.training.run_plan import RunPlan
from src.training.state import RunState
from src.training.step import TrainStep
from src.training.task import Config, Origin, Task, TaskFactory
from src.training.trainer import Run, Trainer

logger = logging.getLogger(__name__)


def build_run(config: Config, create_task: TaskFactory[Config]) -> Trainer:
    """Check everything that can be checked, and build everything that is compiled later.

    Raises:
        UserError: any mistake in configuration, data, weights or run folder.
    """
    log_to()
    used = device.setup(config.device_target, config.device_id, config.seed)  # joins the other ranks
    log_to()  # from here on, only the first rank logs
    _check_device_options(config)
    folder, checkpoint = find_run(config) if distributed.is_first() else (None, None)
    meta = broadcast_meta(checkpoint)
    choose_kernels(kernels_wanted(config, meta), half_precision=config.amp_level != "O0")
    weights = None if meta else chosen_weights(config, training=True)
    task = create_task(config, Origin(weights, meta or (weights.meta if weights else {}), resumes=bool(meta)))
    plan = RunPlan.of(config, task.train_images, distributed.ranks())
    step = build_step(task, config, plan)
    identity = run_identity(task, config, plan, used.target) if folder else {}
    if checkpoint:
        check_same_run(checkpoint.path, checkpoint.meta, identity, task.fixed, allowed=config.allow_changes)
        load_state(step, checkpoint.tensors, checkpoint.path)
    state = RunState.from_meta(meta, plan) if meta else RunState("ema" if step.ema else "raw")
    if meta and state.step != meta["step"]:
        _set_optimizer_step(step, state.step)
    share_state(step)
    text = header(config, task.describe(), plan, str(used), task.workers, folder.folder if folder else None, state.step)
    return Trainer(Run(config, task, plan, step, state, folder, identity, str(used), text))


def build_step(task: Task, config: TrainingConfig, plan: RunPlan) -> TrainStep:
    """Return the step that compiles loss, gradients, optimizer and EMA of a task into one graph."""
    network = with_precision(task.network, config)
    optimizer = build_optimizer(network, config, plan.learning_rates)
    return TrainStep(network, task.with_loss(network), optimizer, config, scale_loss=needs_loss_scale(config))


def run_identity(task: Task, config: TrainingConfig, plan: RunPlan, device_target: str) -> dict[str, Any]:
    """Return what a checkpoint says about its run, and what must be the same when the run is resumed."""
    return task.identity() | {
        "task": task.name,
        "device": device_target,
        "cpu_kernels": library() is not None,
        "ranks": distributed.ranks(),
        "workers": task.workers,
        "steps": plan.steps_per_epoch,
        "images": plan.global_batch,
        "config": config.model_dump(mode="json", by_alias=True),
    }


def kernels_wanted(config: TrainingConfig, meta: dict[str, Any]) -> Choice:
    """Return which kernels a run asks for. With `auto`, a resumed run keeps MindSpore's operators if it had them."""
    had_none = bool(meta) and not meta.get("cpu_kernels", False)
    return "off" if had_none and config.cpu_kernels == "auto" else config.cpu_kernels


def _check_device_options(config: TrainingConfig) -> None:
    for key in ("sync_bn", "data_sink"):
        if getattr(config, key) and device.is_cpu():
            raise UserError(f"{key} is on, which MindSpore offers on Ascend and not on the CPU; leave it out")


def _set_optimizer_step(step: TrainStep, number: int) -> None:
    counter = step.optimizer.global_step
    counter.set_data(ms.Tensor(np.full(counter.shape, number, np.int32)))
