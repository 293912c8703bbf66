"""Published weights: the repository of each network on the Hugging Face hub, and how they are fetched and checked.

`huggingface_hub` downloads into its cache and resumes what was interrupted. Its own environment variables name mirrors
and folders, or keep it offline: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE and others.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from src.errors import UserError, did_you_mean
from src.runtime.collectives import broadcast_from_first
from src.runtime.distributed import is_first
from src.weights.readers import WeightFile, read_weights
from src.weights.timm_config import CONFIG, read_timm_config

logger = logging.getLogger(__name__)

# Network -> repository, as in timm's source: `hf_hub_id` in timm/models/efficientnet.py and ghostnet.py.
# The ending is timm's name of the training; src/search/published.py has the scores. The tf_ networks have the weights
# of EfficientNet's authors, trained with AutoAugment on ImageNet-1000 alone.
REPOSITORIES = {
    "tinynet_a": "timm/tinynet_a.in1k",
    "tinynet_b": "timm/tinynet_b.in1k",
    "tinynet_c": "timm/tinynet_c.in1k",
    "tinynet_d": "timm/tinynet_d.in1k",
    "tinynet_e": "timm/tinynet_e.in1k",
    "efficientnet_b0": "timm/efficientnet_b0.ra_in1k",
    "efficientnet_b1": "timm/efficientnet_b1.ft_in1k",
    "efficientnet_b2": "timm/efficientnet_b2.ra_in1k",
    "efficientnet_b3": "timm/efficientnet_b3.ra2_in1k",
    "efficientnet_b4": "timm/efficientnet_b4.ra2_in1k",
    "tf_efficientnet_b0": "timm/tf_efficientnet_b0.aa_in1k",
    "tf_efficientnet_b1": "timm/tf_efficientnet_b1.aa_in1k",
    "tf_efficientnet_b2": "timm/tf_efficientnet_b2.aa_in1k",
    "tf_efficientnet_b3": "timm/tf_efficientnet_b3.aa_in1k",
    "tf_efficientnet_b4": "timm/tf_efficientnet_b4.aa_in1k",
    "tf_efficientnet_b5": "timm/tf_efficientnet_b5.aa_in1k",
    "tf_efficientnet_b6": "timm/tf_efficientnet_b6.aa_in1k",
    "tf_efficientnet_b7": "timm/tf_efficientnet_b7.aa_in1k",
    "ghostnet_100": "timm/ghostnet_100.in1k",
}
WEIGHTS = "model.safetensors"  # beside `CONFIG`, in each of timm's repositories
OTHER_WEIGHTS = "or download the weights by other means and give them with --ckpt"
SHA256 = re.compile("[0-9a-f]{64}")


def published_weights(
    name: str | None, prefer: Literal["auto", "raw", "ema"] = "auto", *, training: bool = False
) -> WeightFile:
    """Read the published weights of a network; the first rank downloads them if they are not in the cache.

    Args:
        name: a key of `REPOSITORIES`.
        prefer: as in `read_weights`.
        training: take the image size of the training, which is smaller than that of the evaluation for some weights.

    Returns:
        The weights, whose `meta` names the network and the preprocessing of its training or of its published accuracy.

    Raises:
        UserError: there are no such weights, huggingface_hub is missing, the download fails, or a file is damaged.
    """
    repository = _repository(name)
    logger.info("%s: looking in the cache and on the hub", repository)
    found = _download(repository, "main") if is_first() else None
    commit = broadcast_from_first(found.name.encode() if found else b"").decode()  # the other ranks wait here
    folder = found or _download(repository, commit)
    _check_digest(folder / WEIGHTS)
    preprocess = read_timm_config(folder / CONFIG).preprocess(training)
    file = read_weights(folder / WEIGHTS, prefer)
    values = ", ".join(f"{key} {value}" for key, value in preprocess.items())
    logger.info("%s, commit %s, bicubic, %s", repository, commit[:7], values)
    return replace(file, meta=file.meta | {"model": name, "preprocess": preprocess})


def _repository(name: str | None) -> str:
    if name is None:
        raise UserError("model is missing: --pretrained loads the weights of a network; name it, such as tinynet_c")
    if name not in REPOSITORIES:
        raise UserError(
            f"pretrained: no weights of {name} are published{did_you_mean(name, REPOSITORIES)}; "
            f"expected one of {', '.join(REPOSITORIES)}"
        )
    return REPOSITORIES[name]


def _download(repository: str, revision: str) -> Path:
    """Return the folder in the hub's cache with both files, whose name is their commit.

    A branch is looked up on the hub, which may have a newer commit; without network, the commit in the cache is taken.
    A commit that is in the cache needs no network.
    """
    folder = _fetch(repository, CONFIG, revision).parent
    return _fetch(repository, WEIGHTS, folder.name).parent


def _fetch(repository: str, file: str, revision: str) -> Path:
    """Return the path of a file in the hub's cache, after a download if it is not there."""
    try:
        from huggingface_hub import constants, errors, hf_hub_download
    except ImportError:
        raise UserError(f"--pretrained needs huggingface_hub; `pip install huggingface_hub`, {OTHER_WEIGHTS}") from None
    where = f"pretrained: {file} of {repository}"
    try:
        with _quiet(logging.getLogger("huggingface_hub")):
            return Path(hf_hub_download(repository, file, revision=revision))
    except (errors.LocalEntryNotFoundError, RuntimeError) as error:  # a refused connection is the latter in 1.17
        kind = type(error.__cause__ or error).__name__
        unreachable = f"{constants.ENDPOINT} does not answer ({kind})"
        reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else unreachable
        raise UserError(
            f"{where} is not in the cache {constants.HF_HUB_CACHE}, and {reason}; "
            f"name a mirror in HF_ENDPOINT, {OTHER_WEIGHTS}"
        ) from None
    except (errors.RepositoryNotFoundError, errors.EntryNotFoundError, errors.RevisionNotFoundError):
        raise UserError(f"{where} is not on {constants.ENDPOINT}; is HF_ENDPOINT a complete mirror?") from None
    except Exception as error:  # errors of requests, httpx, the file system and the hub have no common base
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UserError(f"{where} cannot be downloaded ({reason}); start again to resume the download") from None


@contextlib.contextmanager
def _quiet(log: logging.Logger) -> Iterator[None]:
    """Suppress warnings of retries, so that the user gets one line of error."""
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _check_digest(path: Path) -> None:
    """Compare the content of a large file with its name in the cache, which is its SHA-256. The hub compares sizes."""
    blob = path.resolve()
    if SHA256.fullmatch(blob.name) and hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
        raise UserError(f"{blob} is damaged: its SHA-256 is not its name; remove it and start again")
