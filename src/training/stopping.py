"""SIGINT and SIGTERM stop a training in order: between two steps, at the same step on all ranks."""

from __future__ import annotations

import logging
import signal
from types import FrameType

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Records signals in `signal` while it is entered. A second SIGINT interrupts at once.

    A second SIGTERM does not, because launchers and cluster managers both send one to the same process.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def __enter__(self) -> StopRequest:
        self.previous_handlers = {number: signal.signal(number, self._record) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous_handlers.items():
            signal.signal(number, handler)

    def reinstall_handlers(self) -> None:
        """Take the signals back: when MindSpore first compiles, it installs a SIGINT handler that sends SIGTERM."""
        if not self:
            for number in SIGNALS:
                signal.signal(number, self._record)

    def note(self, number: int) -> None:
        """Record that another rank has received the signal."""
        self.signal = self.signal or signal.Signals(number)

    def _record(self, number: int, _: FrameType | None) -> None:
        if self.signal is None:
            logger.info("%s: saving and stopping soon", signal.Signals(number).name)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        self.note(number)
