"""SIGINT and SIGTERM end a training in order: noted here, acted on between two steps, at the same step on all ranks."""

from __future__ import annotations

import logging
import signal
from types import FrameType

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While it is entered, signals are only noted, in `signal`; a second SIGINT interrupts at once.

    A second SIGTERM does not: launchers and cluster managers both send one to the same process.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def __enter__(self) -> StopRequest:
        self.usual = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.usual.items():
            signal.signal(number, handler)

    def reinstall_handlers(self) -> None:
        """Take the signals back: MindSpore, when it first compiles, gives SIGINT a handler that sends SIGTERM."""
        if not self:
            for number in SIGNALS:
                signal.signal(number, self._note)

    def note(self, number: int) -> None:
        """Another rank has received the signal."""
        self.signal = self.signal or signal.Signals(number)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal is None:
            logger.info("%s: saving and stopping soon", signal.Signals(number).name)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        self.note(number)
