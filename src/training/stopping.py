"""SIGINT and SIGTERM end a training in order: noted here, acted on between two steps, at the same step on all ranks."""

from __future__ import annotations

import logging
import signal
from types import FrameType

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While it is entered, the first signal is only noted, in `signal`; the second has its usual effect."""

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

    def renew(self) -> None:
        """Take the signals back: MindSpore, when it first compiles, gives SIGINT a handler that sends SIGTERM."""
        if not self:
            for number in SIGNALS:
                signal.signal(number, self._note)

    def note(self, number: int) -> None:
        """Another rank has received the signal."""
        self.signal = self.signal or signal.Signals(number)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.note(number)
        logger.info("%s: stopping after this step; again: at once, without saving", self.signal.name)
        self.__exit__()
