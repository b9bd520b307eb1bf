"""Make what comes next in a background thread, while the consumer works on what came before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any

__all__: list[str] = []

PATIENCE = 5.0  # seconds that a consumer who stops waits for the thread to finish the batch it is making


class Shared:
    """What the two threads have in common: what is made, leave to make more, and whether to go on.

    Both queues are SimpleQueues, into which a finaliser may put at any moment without a deadlock.
    """

    __slots__ = ("leave", "made", "stopped")

    def __init__(self, size: int) -> None:
        self.made: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.leave: SimpleQueue[None] = SimpleQueue()
        self.stopped = False
        for _ in range(size):
            self.leave.put(None)


def ahead(make: Callable[[int], Iterator[Any]], start: int, size: int) -> Iterator[Any]:
    """Yield what ``make(start)`` does, of which up to ``size`` items are made in advance.

    The thread ends with the last item, with an error, which is raised here, and as soon as the
    consumer closes this generator or drops it. The child of a fork, which has no such thread, goes
    on by itself from the item it has come to.
    """
    shared, process, number = Shared(size), os.getpid(), start
    # in a copy of the consumer's context, where np.errstate is as the consumer set it
    thread = Thread(target=copy_context().run, args=(produce, make, start, shared),
                    name="autograd-core batches", daemon=True)  # fmt: skip
    try:
        thread.start()
        while True:
            if os.getpid() != process:
                yield from make(number)
                return
            what, item = shared.made.get()
            if what == "end":
                return
            if what == "error":
                raise item
            shared.leave.put(None)
            yield item
            number += 1
            del item  # it is the consumer's alone while the next one is waited for
    finally:
        item = None  # an error, whose traceback holds this frame
        if os.getpid() == process:
            shared.stopped = True
            shared.leave.put(None)
            if thread.is_alive() and thread is not current_thread():  # which may collect garbage
                thread.join(PATIENCE)


def produce(make: Callable[[int], Iterator[Any]], start: int, shared: Shared) -> None:
    """Put items, then how it ended."""
    try:
        items = make(start)
        shared.leave.get()
        while not shared.stopped:
            try:
                item = next(items)
            except StopIteration:
                shared.made.put(("end", None))
                return
            shared.made.put(("item", item))
            del item
            shared.leave.get()
    except BaseException as error:  # whatever it is, the consumer shall know
        shared.made.put(("error", error))
