"""Options of train.py: augmentation, mixing, recipe and run; the last two are those of every training.

The defaults of the recipe are the values that TinyNet's authors published for ImageNet-1000 with 8 devices. The
file config/imagenet.yaml is the readable form of that recipe, with its sources.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator, model_validator
from typing_extensions import Self

from src.config.common import BatchOptions, ComputeOptions, DataOptions, ImageOptions, ModelOptions
from src.config.options import OptionalName, OptionalPath, Options, conflict, option
from src.design.architecture import LEAST_EPSILON

MOST_EPOCHS = 10_000
HIGHEST_RATE = 1e36  # float32 ends at 3.4e38
SMALLEST_SIDE = 0.001  # share of a crop's area and ratio of its sides, below which it hardly has a pixel


class AugmentOptions(Options):
    """Random changes of single training images."""

    title: ClassVar[str] = "Augmentation (training only)"

    crop_scale: tuple[float, float] = option(
        (0.08, 1.0), "smallest and largest area of a random crop, as a share of the image"
    )
    crop_ratio: tuple[float, float] = option((3 / 4, 4 / 3), "smallest and largest width/height of a random crop")
    antialias: bool = option(
        False, "resize crops with Pillow's antialiased bicubic filter; decoding takes one sixth longer"
    )
    hflip: float = option(0.5, "probability of a horizontal flip", ge=0, le=1)
    color_jitter: float = option(
        0.4,
        "largest relative change of brightness, contrast and saturation; ignored with randaugment or autoaugment",
        ge=0,
        lt=1,
    )
    randaugment: float = option(0, "magnitude of RandAugment, as in timm's rand-m9-mstd0.5; 0: off", ge=0, le=10)
    autoaugment: bool = option(False, "AutoAugment with the policy found for ImageNet")
    randaugment_ops: int = option(
        2, "RandAugment: operations per image, each applied with probability 1/2", ge=1, le=14
    )
    randaugment_std: float = option(0.5, "RandAugment: standard deviation of the magnitude", ge=0, le=10)
    random_erasing: float = option(
        0, "probability of erasing a rectangle that covers 2 % to 33 % of the image", ge=0, le=1
    )
    erasing_mode: Literal["const", "pixel"] = option(
        "const", "content of an erased rectangle: const: the mean color; pixel: noise per pixel"
    )

    @field_validator("crop_scale", "crop_ratio")
    @classmethod
    def _ordered(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not 0 < pair[0] <= pair[1]:
            raise ValueError("expected two numbers above 0, the smaller first")
        if pair[0] < SMALLEST_SIDE or pair[1] > 1 / SMALLEST_SIDE:
            raise ValueError(f"expected numbers from {SMALLEST_SIDE:g} to {1 / SMALLEST_SIDE:g}")
        return pair

    @field_validator("crop_scale")
    @classmethod
    def _share(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if pair[1] > 1:
            raise ValueError("a crop keeps at most 1, the whole image")
        return pair

    @model_validator(mode="after")
    def _one_policy(self) -> Self:
        if self.autoaugment and self.randaugment:
            raise conflict("autoaugment", "RandAugment is on too; choose one of them")
        return self


class MixOptions(Options):
    """Mixing of training images and their labels."""

    title: ClassVar[str] = "Mixing of images and labels (training only)"

    mixup: float = option(
        0.0, "mixup: blend each image with another, by a share drawn from Beta(mixup, mixup); 0: off", ge=0, le=1000
    )
    cutmix: float = option(
        0.0, "CutMix: paste a box of another image, with an area drawn from Beta(cutmix, cutmix); 0: off", ge=0, le=1000
    )
    mix_prob: float = option(1.0, "probability that a batch is mixed", ge=0, le=1)
    mix_switch_prob: float = option(
        0.5, "if both are on: probability that a batch is mixed by CutMix instead of mixup", ge=0, le=1
    )


class ClassifierOptions(Options):
    """Regularization of a classifier."""

    title: ClassVar[str] = "Recipe"

    label_smoothing: float = option(0.1, "probability moved from the true class to the other classes", ge=0, lt=1)
    dropout: float = option(0.2, "dropout rate before the classifier", ge=0, lt=1)


class RecipeOptions(Options):
    """Schedule, optimizer, regularization and precision."""

    title: ClassVar[str] = "Recipe"

    epochs: int = option(450, "passes over the training images", ge=1, le=MOST_EPOCHS)
    lr: float = option(
        0.048, "learning rate after warm-up, for a global batch of lr_batch images", gt=0, le=HIGHEST_RATE
    )
    lr_batch: int = option(
        1024,
        "global batch that lr was chosen for; lr is scaled by the global batch of this run / lr_batch; 0: not scaled",
        ge=0,
        le=1 << 20,
    )
    warmup_epochs: float = option(3, "epochs of linear warm-up of the learning rate", ge=0, le=MOST_EPOCHS)
    warmup_lr: float = option(1e-6, "learning rate of the first step, not scaled", ge=0, le=HIGHEST_RATE)
    schedule: Literal["step", "cosine", "constant"] = option(
        "step",
        "learning-rate schedule after warm-up: step: multiply by decay_rate every decay_epochs; "
        "cosine: fall to min_lr; constant",
    )
    decay_epochs: float = option(2.4, "schedule step: epochs between two decays", ge=0.001, le=MOST_EPOCHS)
    decay_rate: float = option(0.97, "schedule step: factor of each decay", gt=0, le=1)
    min_lr: float = option(1e-6, "schedule cosine: learning rate of the last step, not scaled", ge=0, le=HIGHEST_RATE)
    optimizer: Literal["rmsprop", "sgd", "adamw"] = option(
        "rmsprop",
        "rmsprop: TensorFlow's form, as in the paper; sgd: SGD with momentum; adamw: Adam with decoupled weight decay",
    )
    rms_decay: float = option(0.9, "RMSProp: decay of the running mean square", ge=0, lt=1)
    momentum: float = option(0.9, "RMSProp, SGD: momentum", ge=0, lt=1)
    nesterov: bool = option(False, "SGD: Nesterov momentum")
    beta1: float = option(0.9, "AdamW: decay of the running mean of gradients", gt=0, lt=1)
    beta2: float = option(0.999, "AdamW: decay of the running mean of squared gradients", gt=0, lt=1)
    epsilon: float = option(
        1e-3, "RMSProp: added to the mean square under the square root (TensorFlow's form)", gt=0, le=1
    )
    adam_epsilon: float = option(1e-8, "AdamW: added to the square root of the mean square", gt=0, le=1)
    weight_decay: float = option(
        1e-5,
        "L2 penalty (AdamW: decay) of convolution kernels and matrices; biases and BatchNorm have none",
        ge=0,
        le=1000,
    )
    drop_path: float = option(
        0.0, "drop path: block i of n, from 0, drops its residual branch with probability drop_path * i / n", ge=0, lt=1
    )
    bn_momentum: float = option(0.9, "BatchNorm: decay of the running statistics", ge=0, lt=1)
    bn_epsilon: float | None = option(
        None, "BatchNorm: added to the variance; default the network's own", ge=LEAST_EPSILON, le=1
    )
    clip_norm: float = option(0, "largest norm of all gradients together; 0: no clipping", ge=0, le=HIGHEST_RATE)
    accumulate: int = option(1, "gradient accumulation: batches per optimizer step", ge=1, le=65_536)
    ema_decay: float = option(0.9999, "decay of the EMA of the weights; 0: no EMA", ge=0, lt=1)
    ema_warmup: bool = option(False, "EMA warm-up: decay at step t is min(ema_decay, (1+t)/(10+t))")
    amp_level: Literal["O0", "O2", "O3"] = option(
        "O0",
        "O0: float32; O2: half precision except BatchNorm; O3: BatchNorm inputs in half precision too; "
        "weights and loss stay float32",
    )
    amp_dtype: Literal["float16", "bfloat16"] = option("float16", "half precision of amp_level O2 and O3")
    loss_scale: float = option(0, "loss scale for float16; 0: dynamic", ge=0, le=2**40)

    @model_validator(mode="after")
    def _warmup_within_run(self) -> Self:
        if self.warmup_epochs > self.epochs:
            reason = f"warm-up takes {self.warmup_epochs:g} epochs, the whole run {self.epochs}"
            raise conflict("warmup_epochs", f"{reason}; shorten --warmup_epochs", "epochs")
        return self

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise conflict("nesterov", "Nesterov needs a momentum above 0; give --momentum")
        return self


class RunOptions(Options):
    """The run folder, resuming, fine-tuning and logging."""

    title: ClassVar[str] = "Run"

    run_dir: OptionalPath = option(None, "folder of the run; default runs/MODEL-DATE")
    cache: Literal["auto", "on", "off"] = option(
        "auto", "keep encoded training images in memory; auto: data sets below 256 MB"
    )
    seed: int = option(1, "seed of weights, image order, augmentation and dropout", ge=0, le=2**32 - 1)
    resume: OptionalName = option(
        None,
        "auto: resume from RUN_DIR/checkpoints/last.ckpt if that exists; PATH: resume from that checkpoint",
        title="auto|PATH",
    )
    replace_head: bool = option(
        False,
        "with ckpt or pretrained: accept weights with another number of classes; the layers that predict them are new",
    )
    freeze_backbone: bool = option(
        False, "train the classifier only, or the layers of a detector; all other weights stay as in ckpt"
    )
    freeze_bn: bool = option(False, "BatchNorm normalizes with the running statistics of ckpt, which stay unchanged")
    allow_changes: bool = option(
        False, "resume even if settings, data or devices changed in a way that changes results"
    )
    checkpoint_minutes: float = option(15, "minutes between two checkpoints within an epoch", gt=0, le=1e6)
    eval_interval: int = option(1, "epochs between two evaluations", ge=1, le=MOST_EPOCHS)
    log_interval: int = option(
        0,
        "steps between two log lines, which also check the loss; 0: a 20th of an epoch, at most 50 steps",
        ge=0,
        le=1_000_000,
    )
    tensorboard: bool = option(False, "write event files for TensorBoard to RUN_DIR/tensorboard")
    sync_bn: bool = option(False, "Ascend: BatchNorm statistics over the batches of all devices")
    data_sink: bool = option(False, "Ascend: prefetch batches into a queue on the device")


class TrainingConfig(RunOptions, RecipeOptions, BatchOptions, ComputeOptions, ModelOptions):
    """Options that the training loop reads, for every task."""

    @model_validator(mode="after")
    def _frozen_weights_are_trained(self) -> Self:
        for key in ("freeze_backbone", "freeze_bn"):
            if getattr(self, key) and not (self.ckpt or self.pretrained or self.resume):
                raise conflict(key, "there are no trained weights to keep; give them with --ckpt or --pretrained")
        return self


class TrainConfig(  # the last three are named again, so that `--help` begins with the model
    TrainingConfig,
    ClassifierOptions,
    MixOptions,
    AugmentOptions,
    DataOptions,
    ImageOptions,
    ComputeOptions,
    ModelOptions,
):
    """All options of train.py."""
