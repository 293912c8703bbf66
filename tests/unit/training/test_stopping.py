"""Signals that stop a training in order."""

import os
import signal

import pytest

from src.training.stopping import SIGNALS, StopRequest


@pytest.fixture(autouse=True)
def _usual_handlers():
    usual = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in usual.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_only_a_second_interrupt_ends_at_once(number):
    with StopRequest() as stop:
        assert not stop
        os.kill(os.getpid(), number)
        assert stop and stop.signal is number
        stop.reinstall_handlers()
        os.kill(os.getpid(), signal.SIGTERM)  # launchers and cluster managers both send one
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.signal is number


def test_handlers_that_others_have_put_in_place_are_replaced():
    with StopRequest() as stop:
        signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))  # as MindSpore does
        stop.reinstall_handlers()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal is signal.SIGINT


def test_afterwards_all_is_as_before():
    with StopRequest() as stop:
        stop.reinstall_handlers()
    assert all(signal.getsignal(number) is signal.default_int_handler for number in SIGNALS)
