"""Ctrl-C within ``deferred`` waits for its end, and is what it was before and after."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from autograd_core.interrupts import deferred


@pytest.fixture(autouse=True)
def _handler_is_put_back() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_it_waits_for_the_end() -> None:
    done = []

    def work() -> None:
        with deferred():
            ctrl_c()
            done.append("within")
            ctrl_c()
            done.append("twice")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["within", "twice"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_signal_nothing_happens() -> None:
    with deferred():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_blocks_nest() -> None:
    done = []

    def work() -> None:
        with deferred():
            with deferred():
                ctrl_c()
            done.append("after the inner")
            with deferred():
                pass
            done.append("after another")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["after the inner", "after another"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_is_called_at_the_end() -> None:
    seen: list[Any] = []

    def handler(number: int, frame: Any) -> None:
        seen.append((number, frame.f_code.co_name))

    signal.signal(signal.SIGINT, handler)
    with deferred():
        ctrl_c()
        assert not seen
    assert [number for number, _ in seen] == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_is_not_python_is_left_alone(handler: Any) -> None:
    signal.signal(signal.SIGINT, handler)
    with deferred():
        assert signal.getsignal(signal.SIGINT) == handler
        if handler == signal.SIG_IGN:
            ctrl_c()
    assert signal.getsignal(signal.SIGINT) == handler


def test_an_error_within_is_raised_and_the_handler_restored() -> None:
    with pytest.raises(ZeroDivisionError), deferred():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def work() -> None:
        with deferred():
            ctrl_c()
            raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_changes_nothing() -> None:
    found = []

    def work() -> None:
        with deferred():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_one_object_serves_again() -> None:
    block = deferred()
    with pytest.raises(KeyboardInterrupt), block:
        ctrl_c()
    with block:
        pass
