"""Photographs through the model on every core, in order, never more of them in memory than are being worked on."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from matcher.faces import Faces
from matcher.settings import cores

Item = TypeVar("Item")
Done = TypeVar("Done")
AHEAD = 4  # items in work or waiting, for each worker


def through(
    load: Callable[[], Faces], work: Callable[[Faces, Item], Done], items: Iterable[Item], *, workers: int | None = None
) -> Iterator[tuple[Item, Done]]:
    """(item, work(faces, item)) in the items' order; what `work` raises is raised here.

    Each worker loads a model of its own; decoding, detection and embedding release Python's lock, so threads do.
    """
    own = threading.local()

    def one(item: Item) -> Done:
        if not hasattr(own, "faces"):
            own.faces = load()
        return work(own.faces, item)

    count = workers or cores()
    waiting: deque[tuple[Item, Future[Done]]] = deque()
    rest = iter(items)
    with ThreadPoolExecutor(count, thread_name_prefix="faces") as pool:
        try:
            waiting.extend((item, pool.submit(one, item)) for item in islice(rest, count * AHEAD))
            while waiting:
                item, future = waiting.popleft()
                done = future.result()
                waiting.extend((further, pool.submit(one, further)) for further in islice(rest, 1))
                yield item, done
        finally:
            pool.shutdown(cancel_futures=True)
