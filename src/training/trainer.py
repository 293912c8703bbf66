"""The training loop: epochs of one compiled step, both sets of weights evaluated, everything saved."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mindspore as ms
from tqdm import tqdm

from src import device
from src.cache import cached
from src.config import TrainConfig
from src.dataset import check_batch_size, train_dataset
from src.design.cost import total_cost
from src.digits import HOW_TO_GET_DATA, resolve_data_path
from src.errors import Diverged, UserError
from src.image_folder import ImageFolder, bad_files_named, check_classes, check_images, open_split
from src.layers import Norm
from src.models import chosen_preprocess, create_model
from src.training.checkpoint import load_state, save_state
from src.training.evaluator import Metrics, evaluate
from src.training.recipe import SmoothedCrossEntropy, build_optimizer, learning_rates, peak_rate
from src.training.reporting import RunFolder, duration, log_to
from src.training.step import TrainStep
from src.weights import load_weights, read_ckpt, read_weights, weights_of
from src.workers import usable_workers

logger = logging.getLogger(__name__)

MOST_STEPS_UNCHECKED = 50  # until the losses are fetched from the device, shown, and checked to be numbers


class Trainer:
    """One run, from data and configuration to checkpoints."""

    def __init__(self, config: TrainConfig) -> None:
        """Check everything that can be checked, and build everything that is compiled later.

        Raises:
            UserError: any mistake in configuration, data, weights or run folder.
        """
        log_to()
        self.config = config
        if config.data_path is None and config.model is None and config.ckpt is None:
            raise UserError(
                "model and data_path are missing: name a network with --model, such as tinynet_c, and "
                f"{HOW_TO_GET_DATA}; `--config config/digits.yaml` does both"
            )
        self.run, self.resume_from = _run_folder(config)
        start = read_weights(config.ckpt, config.weights) if config.ckpt else None
        meta = _run_meta(self.resume_from) if self.resume_from else start.meta if start else {}
        self.model = config.model or meta.get("model")
        if self.model is None:
            raise UserError("model is missing: give --model, such as tinynet_c, or a --config that names one")
        self.train, self.val = _open_data(config)
        self.workers = usable_workers(config.workers)
        check_images((self.train, self.val), config.check_data, self.workers)

        device.setup(config.device_target, config.device_id, config.seed)
        self.steps = len(self.train) // config.batch_size
        norm = Norm(config.bn_momentum, config.bn_epsilon)
        sizes = {"num_classes": len(self.train.classes), "norm": norm}
        network = create_model(self.model, dropout=config.dropout, drop_path=config.drop_path, **sizes)
        self.eval_network = create_model(self.model, **sizes).set_train(False)
        self.preprocess = chosen_preprocess(network, meta, config.input_size, config.crop_pct)
        self.cost = total_cost(network.architecture.at(self.preprocess.size), len(self.train.classes))
        if start:
            logger.info(
                "start from %s: %s", config.ckpt, load_weights(network, start, replace_head=config.replace_head)
            )
        if config.amp_level != "O0":
            network = ms.amp.auto_mixed_precision(network, config.amp_level)
        self.rates = learning_rates(config, self.steps, config.batch_size)
        self.step = TrainStep(
            network,
            SmoothedCrossEntropy(len(self.train.classes), config.label_smoothing),
            build_optimizer(network, config, self.rates),
            loss_scale=config.loss_scale,
            ema_decay=config.ema_decay,
        )
        self.epoch, self.best = 0, -1.0
        if self.resume_from:
            self._resume(self.resume_from, meta)

    def fit(self) -> None:
        """Train to the last epoch.

        Raises:
            Diverged: the loss is not a number.
            UserError: there are fewer images than one batch, or the run folder cannot be written.
        """
        if self.epoch >= self.config.epochs:
            logger.info("%s: all %d epochs are done (best top-1 %.2f %%)", self.run.folder, self.epoch, self.best)
            return
        self.run.open(self.config, epochs_done=self.epoch)
        logger.info(self.header())
        while self.epoch < self.config.epochs:
            row = self.train_epoch(self.epoch)
            self.epoch += 1
            if self.epoch % self.config.eval_interval == 0 or self.epoch == self.config.epochs:
                row |= self.evaluate_both()
            self.save(row)
            self.run.add(row)
            logger.info(self.summary(row))

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the training images; returns its line of metrics.csv."""
        data = train_dataset(
            self.train,
            self.preprocess,
            self.config,
            self.config.batch_size,
            epoch=epoch,
            seed=self.config.seed,
            workers=self.workers,
        )
        began, waited, total, pending = time.perf_counter(), 0.0, 0.0, []
        batches = iter(data.create_tuple_iterator(num_epochs=1))
        interval = min(math.ceil(self.steps / 20), MOST_STEPS_UNCHECKED)
        with tqdm(total=self.steps, desc=f"epoch {epoch + 1}/{self.config.epochs}", leave=False, disable=None) as bar:
            for done in range(1, self.steps + 1):
                asked = time.perf_counter()
                with bad_files_named(self.train.files, self.workers):
                    images, labels = next(batches)
                waited += time.perf_counter() - asked
                pending.append(self.step(images, labels))
                if done % interval == 0 or done == self.steps:
                    losses = [float(loss.asnumpy()) for loss in pending]
                    self._check_losses(losses, epoch * self.steps + done - len(pending))
                    total, pending = total + sum(losses), []
                    elapsed = time.perf_counter() - began
                    left = elapsed / done * (self.steps * (self.config.epochs - epoch) - done)
                    bar.set_postfix_str(
                        f"loss {losses[-1]:.3f}, lr {self.rates[epoch * self.steps + done - 1]:.2e}, "
                        f"{done * self.config.batch_size / elapsed:.0f} img/s, "
                        f"data wait {waited / elapsed:.0%}, {duration(left)} left",
                        refresh=False,
                    )
                    bar.update(done - bar.n)
        seconds = time.perf_counter() - began
        return {
            "epoch": epoch + 1,
            "step": (epoch + 1) * self.steps,
            "lr": float(self.rates[(epoch + 1) * self.steps - 1]),
            "train_loss": total / self.steps,
            "images_per_second": self.steps * self.config.batch_size / seconds,
            "data_wait": waited / seconds,
            "seconds": seconds,
        }

    def evaluate_both(self) -> dict[str, float]:
        """Metrics of the raw and of the averaged weights: `raw_top1`, `ema_top1`, ..., on all validation images."""
        results = {"raw": self._evaluate(weights_of(self.step.network))}
        if self.step.ema:
            results["ema"] = self._evaluate({p.name: a for p, a in zip(self.step.source, self.step.ema, strict=True)})
        return {
            f"{kind}_{key}": value
            for kind, metrics in results.items()
            for key, value in asdict(metrics).items()
            if key != "images"
        }

    def save(self, row: dict[str, float]) -> None:
        """last.ckpt, and best.ckpt when this epoch's better weights beat all before."""
        scores = {kind: row[f"{kind}_top1"] for kind in ("ema", "raw") if f"{kind}_top1" in row}
        better = max(scores, key=scores.get) if scores else ("ema" if self.step.ema else "raw")
        top1 = scores.get(better)
        improved = top1 is not None and top1 > self.best
        self.best = top1 if improved else self.best
        meta = {
            "model": self.model,
            "classes": list(self.train.classes),
            "preprocess": self.preprocess.as_dict(),
            "epoch": self.epoch,
            "step": self.epoch * self.steps,
            "better": better,
            "top1": top1,
            "best": self.best,
            "bn_epsilon": self.config.bn_epsilon,
            "config": self.config.model_dump(mode="json", by_alias=True),
        }
        save_state(self.step, meta, self.run.last, *([self.run.best] if improved else []))

    def header(self) -> str:
        """The run on one screen."""
        config, size = self.config, self.preprocess.size
        parameters, macs = f"{self.cost.parameters:,} parameters", f"{self.cost.macs / 1e6:.1f} M MACs"
        peak = f"{peak_rate(config, config.batch_size):g} after {config.warmup_epochs:g} epochs"
        lines = {
            "network": f"{self.model}, {size} px, {parameters}, {macs}",
            "data": f"{self.train.root.parent}, {len(self.train):,} + {len(self.val):,} images, "
            f"{len(self.train.classes)} classes",
            "training": f"{config.epochs} epochs x {self.steps} steps x {config.batch_size} images, seed {config.seed}",
            "rate": f"{peak}, then x {config.decay_rate:g} every {config.decay_epochs:g}",
            "speed": f"precision {config.amp_level}, {self.workers} data workers",
            "run": f"{self.run.folder}" + (f", resumed after epoch {self.epoch}" if self.epoch else ""),
        }
        return "\n".join(f"{key:>9}  {value}" for key, value in lines.items())

    def summary(self, row: dict[str, float]) -> str:
        """An epoch in one line."""
        scores = [f"{kind} top-1 {row[f'{kind}_top1']:.2f} %" for kind in ("raw", "ema") if f"{kind}_top1" in row]
        left = row["seconds"] * (self.config.epochs - self.epoch)
        return ", ".join(
            [f"epoch {self.epoch}/{self.config.epochs}", f"loss {row['train_loss']:.3f}", *scores]
            + [f"{row['images_per_second']:.0f} img/s", f"data wait {row['data_wait']:.0%}", f"{duration(left)} left"]
        )

    def _evaluate(self, weights: dict[str, ms.Parameter]) -> Metrics:
        for name, parameter in weights_of(self.eval_network).items():
            parameter.set_data(ms.Tensor(weights[name].asnumpy().copy()))
        size = self.config.batch_size
        return evaluate(self.eval_network, self.val.files, self.val.labels, self.preprocess, size, workers=self.workers)

    def _check_losses(self, losses: list[float], steps_before: int) -> None:
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                kept = f"{self.run.last} holds the epoch before" if self.epoch else "no checkpoint was written yet"
                raise Diverged(f"the loss is {loss} at step {steps_before + index + 1}; {kept}; try a lower --lr")

    def _resume(self, path: Path, meta: dict[str, Any]) -> None:
        """Refuse a checkpoint of another run, then go on from it."""
        here = {
            "model": self.model,
            "classes": list(self.train.classes),
            "preprocess": self.preprocess.as_dict(),
            "steps an epoch": self.steps,
        }
        there = meta | {"steps an epoch": meta["step"] // meta["epoch"]}
        for key, value in here.items():
            if value != there[key]:
                was = f"{key} was {there[key]} in {path} and is {value} now"
                raise UserError(f"resume: {was}; start a new run, with --ckpt")
        load_state(self.step, path)
        self.epoch, self.best = meta["epoch"], meta["best"]


def _run_folder(config: TrainConfig) -> tuple[RunFolder, Path | None]:
    """The folder of this run and the checkpoint to go on from."""
    folder, resume = config.run_dir, config.resume
    if folder is None and resume == "auto":
        raise UserError("resume is auto, but no run is named; give --run_dir")
    if folder is None and resume:
        if Path(resume).resolve().parent.name != "checkpoints":
            raise UserError(f"resume: {resume} is not in the folder of a run; give --run_dir")
        folder = Path(resume).resolve().parent.parent
    if folder is None:
        folder = Path("runs") / f"{config.model or 'model'}-{time.strftime('%Y%m%d-%H%M%S')}"
    run = RunFolder(folder)
    if resume == "auto":
        return run, run.last if run.last.is_file() else None
    if run.last.exists() and not (resume and Path(resume).resolve().parent == run.last.resolve().parent):
        raise UserError(f"run_dir {folder} already holds a run; go on with --resume auto, or give another --run_dir")
    return run, Path(resume) if resume else None


def _run_meta(path: Path) -> dict[str, Any]:
    """What the checkpoint of a run says about it."""
    if not path.is_file():
        raise UserError(f"resume: there is no checkpoint {path}")
    meta = read_ckpt(path)[1]
    if "epoch" not in meta:
        raise UserError(f"resume: {path} holds weights, but no state of a run; to start from them use --ckpt")
    return meta


def _open_data(config: TrainConfig) -> tuple[ImageFolder, ImageFolder]:
    root = resolve_data_path(config.data_path)
    train, val = cached(open_split(root, "train"), config.cache), open_split(root, "val")
    check_classes(train, val)
    if config.num_classes not in (0, len(train.classes)):
        raise UserError(f"num_classes is {config.num_classes}, but {train.root} holds {len(train.classes)} classes")
    check_batch_size(train, config.batch_size)
    return train, val
