"""Misfortunes on demand: a test says what shall go wrong, where, how often; nothing goes wrong by itself."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ApiFault: TypeAlias = Literal["ratelimited", "error", "http_500", "timeout", "hang_up", "done_but_no_answer"]
DeliveryFault: TypeAlias = Literal["drop", "delay", "duplicate", "reorder", "no_ack"]
API_FAULTS: tuple[ApiFault, ...] = ("ratelimited", "error", "http_500", "timeout", "hang_up", "done_but_no_answer")
DELIVERY_FAULTS: tuple[DeliveryFault, ...] = ("drop", "delay", "duplicate", "reorder", "no_ack")


@dataclass(slots=True)
class Fault:
    """`what` happens `times` times to `where`: a Web API method, an event or interaction type, or `*`."""

    where: str
    what: str
    times: int = 1
    seconds: float = 1.0
    code: str = "internal_error"


class Faults:
    """The plan of misfortunes, spent one by one in the order in which they were asked for."""

    def __init__(self) -> None:
        self._plan: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        if fault.what not in (*API_FAULTS, *DELIVERY_FAULTS):
            raise ValueError(f"There is no fault called {fault.what}.")
        self._plan.append(fault)

    def clear(self) -> None:
        self._plan.clear()

    def left(self) -> list[Fault]:
        return list(self._plan)

    def api(self, method: str) -> Fault | None:
        return self._take(method, API_FAULTS)

    def delivery(self, kind: str) -> Fault | None:
        return self._take(kind, DELIVERY_FAULTS)

    def _take(self, where: str, kinds: tuple[str, ...]) -> Fault | None:
        for fault in self._plan:
            if fault.what in kinds and fault.where in {where, "*"}:
                fault.times -= 1
                if fault.times <= 0:
                    self._plan.remove(fault)
                return fault
        return None
