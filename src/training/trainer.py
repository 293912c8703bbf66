"""The training loop: epochs of one compiled step, both sets of weights evaluated, everything saved."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import mindspore as ms
import numpy as np
from mindspore.dataset import Dataset
from tqdm import tqdm

from src.classification.loss import SmoothedCrossEntropy
from src.classification.metrics import Metrics, evaluate
from src.classification.mixing import draw
from src.config import TrainConfig
from src.dataset import check_batch_size, train_dataset
from src.design.architecture_file import to_dict
from src.design.cost import total_cost
from src.errors import Diverged, UserError
from src.images.cache import cached
from src.images.faults import explain_bad_files
from src.images.folder import HOW_TO_GET_DATA, ImageFolder, check_classes, check_images, open_split, resolve_data_path
from src.models import architecture_of, chosen_preprocess, create_model
from src.networks.layers import Norm
from src.networks.stochastic import use_random_stream
from src.runtime import collectives, device, distributed
from src.runtime.logs import duration, log_to
from src.runtime.workers import usable_workers
from src.training.checkpoint import load_state, save_state, share_state
from src.training.freezing import freeze
from src.training.optimizers import build_optimizer
from src.training.precision import needs_loss_scale, with_precision
from src.training.progress import EpochSums, epoch_line, header, interval_line
from src.training.resume import broadcast_meta, check_same_run, dataset_fingerprint, find_run
from src.training.schedule import learning_rates
from src.training.step import TrainStep
from src.training.stopping import StopRequest
from src.weights.loading import load_weights
from src.weights.names import weights_of
from src.weights.readers import read_weights

logger = logging.getLogger(__name__)

LONGEST_INTERVAL = 50  # updates until the losses are fetched from the device, shown, and checked to be numbers
WORTH_SAVING = 60  # seconds of work that an evaluation must not put at risk


class Trainer:
    """One run, from data and configuration to checkpoints. `updates` counts those done since its start."""

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
        self.device = device.setup(config.device_target, config.device_id, config.seed)  # joins the other ranks
        log_to()  # from here on the first rank alone
        _check_target(config)
        self.run, start = find_run(config) if distributed.is_first() else (None, None)
        self.meta = broadcast_meta(start)
        weights = read_weights(config.ckpt, config.weights) if config.ckpt else None
        before = self.meta or (weights.meta if weights else {})
        self.architecture = architecture_of(config, before)
        self.train, self.val = _open_data(config)
        self.workers = usable_workers(config.workers, distributed.ranks_on_machine())
        check_images((self.train, self.val), config.check_data, self.workers)
        self.data = dataset_fingerprint(self.train, self.val) if self.run else ""
        self._build(weights, before)
        self.updates, self.best, self.better, self.rows = 0, -1.0, "ema" if self.step.ema else "raw", []
        self.compiled = False
        self._begin_epoch()
        if (config.freeze_backbone or config.freeze_bn) and not (weights or self.meta):
            raise UserError("there are no trained weights to keep frozen; give them with --ckpt")
        if start:
            check_same_run(start[0], self.meta, self._identity(), allowed=config.allow_changes)
            load_state(self.step, start[1], start[0])
        if self.meta:
            self._take_up(self.meta)
        share_state(self.step)

    def _build(self, weights: Any, before: dict[str, Any]) -> None:
        """Network, compiled step, and the network that evaluates."""
        config = self.config
        classes = len(self.train.classes)
        norm = {"momentum": config.bn_momentum, "epsilon": config.bn_epsilon}
        rates = {"dropout": config.dropout, "drop_path": config.drop_path}
        network = create_model(self.architecture, num_classes=classes, norm=Norm(**norm, sync=config.sync_bn), **rates)
        self.eval_network = create_model(self.architecture, num_classes=classes, norm=Norm(**norm)).set_train(False)
        self.preprocess = chosen_preprocess(network, before, config.input_size, config.crop_pct)
        self.cost = total_cost(network.architecture.at(self.preprocess.size), classes)
        if weights:
            report = load_weights(network, weights, replace_head=config.replace_head)
            logger.info("start from %s: %s", config.ckpt, report)
        use_random_stream(network, distributed.rank())
        freeze(network, backbone=config.freeze_backbone, batch_norm=config.freeze_bn)
        network = with_precision(network, config)
        self.global_batch = config.batch_size * distributed.ranks() * config.accumulate
        self.steps = len(self.train) // self.global_batch
        self.interval = config.log_interval or min(math.ceil(self.steps / 20), LONGEST_INTERVAL)
        self.rates = learning_rates(config, self.steps, self.global_batch)
        self.step = TrainStep(
            network,
            SmoothedCrossEntropy(classes, config.label_smoothing),
            build_optimizer(network, config, self.rates),
            config,
            half=needs_loss_scale(config),
        )

    def fit(self) -> None:
        """Train to the last epoch, or until a signal asks to stop: then all is saved.

        Raises:
            Diverged: the loss is not a number.
            UserError: the run folder cannot be written.
            KeyboardInterrupt: SIGINT came.
        """
        if len(self.rows) >= self.config.epochs:
            logger.info("all %d epochs are done (best top-1 %.2f %%)", len(self.rows), self.best)
            return
        if self.run:
            self.run.open(self.config, self.rows, str(self.device))
        logger.info(header(self))
        self.saved_at = time.monotonic()
        with StopRequest() as self.stop:
            while len(self.rows) < self.config.epochs and self.train_epoch(len(self.rows)):
                self.finish_epoch()
        if self.run:
            self.run.close()
        if self.stop:
            how = "--resume auto goes on" if self.run else "the first rank has saved"
            logger.info("stopped by %s after step %d; %s", self.stop.signal.name, self.updates, how)
            if self.stop.signal.name == "SIGINT":
                raise KeyboardInterrupt

    def train_epoch(self, epoch: int) -> bool:
        """The rest of a pass over the training images; False when a signal ended it."""
        end = (epoch + 1) * self.steps
        batches = self._batches(epoch)
        pending: list[ms.Tensor] = []
        bar = tqdm(
            desc=f"epoch {epoch + 1}/{self.config.epochs}",
            total=self.steps,
            initial=self.steps - (end - self.updates),
            leave=False,
            disable=None if self.run else True,
        )
        with bar:
            while self.updates < end:
                pending += self._timed_update(batches)
                self.stop.reinstall_handlers()
                self.updates += 1
                bar.update()
                alone_and_stopped = self.stop and distributed.ranks() == 1
                if self.updates % self.interval == 0 or self.updates == end or alone_and_stopped:
                    stop = self._settle(pending)
                    pending = []
                    if stop:
                        self.save()
                        return False
        return True

    def finish_epoch(self) -> None:
        """Evaluate, save, and report the epoch that has just been trained."""
        row = self._row()
        if row["epoch"] % self.config.eval_interval == 0 or row["epoch"] == self.config.epochs:
            if time.monotonic() - self.saved_at > WORTH_SAVING:
                self.save()
            row |= self.evaluate_both()
        improved = self._improved(row) or bool(self.run and "raw_top1" in row and not self.run.best.exists())
        self.rows.append(row)
        self._begin_epoch()
        self.save(best=improved)
        if self.run:
            self.run.report(self.rows)
        logger.info(epoch_line(row, self.config.epochs))

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

    def save(self, best: bool = False) -> None:
        """Write last.ckpt, whose earlier generation is kept, and with `best` best.ckpt."""
        if not self.run:
            return
        meta = self._identity() | {
            "bn_epsilon": self.config.bn_epsilon,
            "step": self.updates,
            "better": self.better,
            "top1": self.rows[-1].get(f"{self.better}_top1") if self.rows else None,
            "best": self.best,
            "rows": self.rows,
            "partial": asdict(self.sums),
        }
        save_state(self.step, meta, self.run.last, *([self.run.best] if best else []))
        self.saved_at = time.monotonic()

    def _batches(self, epoch: int) -> Iterator[tuple[ms.Tensor, ms.Tensor]]:
        """The batches of an epoch that are still to come."""
        done = (self.updates - epoch * self.steps) * self.config.accumulate
        if done == self.steps * self.config.accumulate:
            return iter(())
        data = train_dataset(
            self.train,
            self.preprocess,
            self.config,
            self.config.batch_size,
            epoch=epoch,
            seed=self.config.seed,
            workers=self.workers,
            rank=distributed.rank(),
            ranks=distributed.ranks(),
            skip=done,
        )
        return _sunk(data) if self.config.data_sink else iter(data.create_tuple_iterator(num_epochs=1))

    def _update(self, batches: Iterator[tuple[ms.Tensor, ms.Tensor]]) -> list[ms.Tensor]:
        """One update of the weights; the losses of the batches that it took."""
        losses = []
        for part in range(self.config.accumulate):
            asked = time.perf_counter()
            with explain_bad_files(self.train.files, self.workers):
                batch = next(batches)
            self.sums.waited += time.perf_counter() - asked
            if self.config.mixup or self.config.cutmix:
                count = self.updates * self.config.accumulate + part
                place = {"rank": distributed.rank(), "size": self.preprocess.size}
                mix = draw(self.config, seed=self.config.seed, step=count, **place)
                batch = (*batch, ms.Tensor(mix.lam), ms.Tensor(mix.box))
            is_last = part == self.config.accumulate - 1
            losses.append(self.step(*batch) if is_last else self.step.add(*batch))
        return losses

    def _timed_update(self, batches: Iterator[tuple[ms.Tensor, ms.Tensor]]) -> list[ms.Tensor]:
        """An update, and how long it took. The first of a process compiles, and says nothing about speed."""
        began, waited = time.perf_counter(), self.sums.waited
        losses = self._update(batches)
        if self.compiled:
            seconds = time.perf_counter() - began
            self.sums.seconds += seconds
            self.sums.timed += 1
            self.slowest = max(self.slowest, seconds)
        else:
            losses[-1].asnumpy()
            self.sums.waited, self.compiled = waited, True
            logger.info("compiled, first step done in %s", duration(time.perf_counter() - began))
        return losses

    def _settle(self, pending: list[ms.Tensor]) -> bool:
        """Fetch the losses since the last time, check, show and perhaps save; whether any rank was asked to stop."""
        began = time.perf_counter()
        losses = [float(loss.asnumpy()) for loss in pending]
        self.sums.seconds += time.perf_counter() - began
        self._check_losses(losses)
        self.sums.add_losses(losses)
        mine = np.float64([self.slowest, self.sums.waited, self.stop.signal or 0])
        slowest, waited, signals = collectives.all_gather(mine).T
        logger.info(interval_line(self, losses[-1], slowest, waited))
        self.slowest = 0.0
        if stops := [int(number) for number in signals if number]:
            self.stop.note(stops[0])
        elif time.monotonic() - self.saved_at > 60 * self.config.checkpoint_minutes:
            self.save()
        return bool(stops)

    def _check_losses(self, losses: list[float]) -> None:
        first = self.updates - len(losses) // self.config.accumulate
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                kept = f"{self.run.last} was kept" if self.run and self.run.last.exists() else "nothing was saved yet"
                step = first + index // self.config.accumulate + 1
                raise Diverged(f"the loss is {loss} at step {step}; {kept}; try a lower --lr")

    def _begin_epoch(self) -> None:
        self.sums, self.slowest = EpochSums(), 0.0

    def _row(self) -> dict[str, float]:
        """The line of metrics.csv of the epoch that has just been trained."""
        sums = self.sums
        return {
            "epoch": len(self.rows) + 1,
            "step": self.updates,
            "lr": float(self.rates[self.updates - 1]),
            "train_loss": sums.loss / sums.batches,
            "images_per_second": self.global_batch / sums.pace,
            "data_wait": sums.share(sums.waited),
            "seconds": sums.pace * self.steps,
        }

    def _improved(self, row: dict[str, float]) -> bool:
        """Note which weights are better, and whether they are the best of the run."""
        scores = {kind: row[f"{kind}_top1"] for kind in ("ema", "raw") if f"{kind}_top1" in row}
        if not scores:
            return False
        self.better = max(scores, key=scores.get)
        improved = scores[self.better] > self.best
        self.best = max(self.best, scores[self.better])
        return improved

    def _identity(self) -> dict[str, Any]:
        """What a run must keep to go on as it began."""
        return {
            "model": self.architecture.name,
            "architecture": to_dict(self.architecture),
            "classes": list(self.train.classes),
            "preprocess": self.preprocess.as_dict(),
            "data": self.data,
            "device": self.device.target,
            "ranks": distributed.ranks(),
            "workers": self.workers,
            "steps": self.steps,
            "images": self.global_batch,
            "config": self.config.model_dump(mode="json", by_alias=True),
        }

    def _take_up(self, meta: dict[str, Any]) -> None:
        """Counters and metrics of the run so far; another batch size counts the images that were seen."""
        self.rows, self.best, self.better = meta["rows"], meta["best"], meta["better"]
        self.updates, self.sums = meta["step"], EpochSums(**meta["partial"])
        if (meta["steps"], meta["images"]) != (self.steps, self.global_batch):
            seen = (meta["step"] - len(self.rows) * meta["steps"]) * meta["images"]
            self.updates = len(self.rows) * self.steps + min(seen // self.global_batch, self.steps)
            counter = self.step.optimizer.global_step
            counter.set_data(ms.Tensor(np.full(counter.shape, self.updates, np.int32)))

    def _evaluate(self, weights: dict[str, ms.Parameter]) -> Metrics:
        for name, parameter in weights_of(self.eval_network).items():
            parameter.set_data(ms.Tensor(weights[name].asnumpy().copy()))
        size = self.config.batch_size
        return evaluate(self.eval_network, self.val.files, self.val.labels, self.preprocess, size, workers=self.workers)


def _check_target(config: TrainConfig) -> None:
    for key in ("sync_bn", "data_sink"):
        if getattr(config, key) and ms.get_context("device_target") == "CPU":
            raise UserError(f"{key} is on, which MindSpore offers on Ascend and not on the CPU; leave it out")


def _sunk(data: Dataset) -> Iterator[tuple[ms.Tensor, ...]]:
    """Batches from the queue on the device that `data` fills ahead."""

    def take(*batch):
        return batch

    fetch = ms.data_sink(take, data, sink_size=1)
    for _ in range(data.get_dataset_size()):
        yield fetch()


def _open_data(config: TrainConfig) -> tuple[ImageFolder, ImageFolder]:
    root = resolve_data_path(config.data_path)
    train, val = cached(open_split(root, "train"), config.cache), open_split(root, "val")
    check_classes(train, val)
    if config.num_classes not in (0, len(train.classes)):
        raise UserError(f"num_classes is {config.num_classes}, but {train.root} holds {len(train.classes)} classes")
    check_batch_size(train, config.batch_size * config.accumulate, distributed.ranks())
    return train, val
