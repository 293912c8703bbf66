"""The project's log: on the terminal and in a file of the run."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path

from tqdm import tqdm

from src.runtime.distributed import is_first
from src.runtime.texts import printable_lines

logger = logging.getLogger(__name__)


class _Formatter(logging.Formatter):
    """Formats lines for any terminal, also those of the file, which users print."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


class _LogFile(logging.FileHandler):
    """A log file whose write errors do not stop the training: after one warning, nothing more is written to it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        logging.getLogger("src").removeHandler(self)
        logger.warning("%s cannot be written any more: %s", self.baseFilename, sys.exc_info()[1])


class _TqdmHandler(logging.StreamHandler):
    """Log lines on the terminal that leave progress bars whole."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # a full disk or a closed pipe does not stop a training
            tqdm.write(self.format(record), file=sys.stderr)


def log_to(file: Path | None = None) -> None:
    """Log to the terminal and, from now on, to `file` instead of an earlier file.

    Rank 0 logs everything, the other ranks only warnings.
    """
    root = logging.getLogger("src")
    root.setLevel(logging.INFO if is_first() else logging.WARNING)
    if not root.handlers:
        terminal = _TqdmHandler()
        terminal.setFormatter(_Formatter())
        root.addHandler(terminal)
    if file is None:
        return
    for earlier in [handler for handler in root.handlers if isinstance(handler, logging.FileHandler)]:
        root.removeHandler(earlier)
        earlier.close()
    handler = _LogFile(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    root.addHandler(handler)
