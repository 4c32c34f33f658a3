"""What open pages are told as it happens: each person only what that person may see."""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from .model import Json

BACKLOG = 1000


class Feed:
    """Queues by person. A page that reads too slowly is told to load everything again."""

    def __init__(self) -> None:
        self._open: dict[str, set[asyncio.Queue[Json]]] = {}

    @contextmanager
    def follow(self, user: str) -> Generator[asyncio.Queue[Json]]:
        queue: asyncio.Queue[Json] = asyncio.Queue(BACKLOG)
        self._open.setdefault(user, set()).add(queue)
        try:
            yield queue
        finally:
            self._open[user].discard(queue)

    def tell(self, users: Iterable[str], news: Json) -> None:
        for user in set(users):
            for queue in self._open.get(user, set()):
                if queue.full():
                    while not queue.empty():
                        queue.get_nowait()
                    queue.put_nowait({"type": "reload"})
                else:
                    queue.put_nowait(news)

    def tell_everybody(self, news: Json) -> None:
        self.tell(list(self._open), news)
