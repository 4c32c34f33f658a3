"""Which class of photographs each belongs to: what a search may not reach is left out before ranking (M12, M42).

A class is the legal basis on which a photograph is held; which ones a search may reach, the policy says. Nearly all
photographs of a gallery are of arrests: those alone are not listed.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

ARREST = "arrest"
Numbers = NDArray[np.int64]
Allowed = frozenset[str]


class Classes:
    """The class of every photograph, by its number in the database. A photograph's class never changes."""

    def __init__(self, listed: Iterable[tuple[int, str]] = ()) -> None:
        """`listed`: photographs that are no arrest photographs."""
        self._of: dict[str, set[int]] = {}
        for number, name in listed:
            self._of.setdefault(name, set()).add(number)

    def add(self, listed: Mapping[int, str]) -> None:
        for number, name in listed.items():
            self._of.setdefault(name, set()).add(number)

    def barred(self, numbers: Numbers, allowed: Allowed) -> NDArray[np.int64]:
        """Places in `numbers` (ascending) of photographs that are in none of the allowed classes, ascending."""
        if ARREST in allowed:
            return _places(numbers, self._in(self._of.keys() - allowed))
        return np.setdiff1d(np.arange(len(numbers)), _places(numbers, self._in(allowed)), assume_unique=True)

    def _in(self, names: Iterable[str]) -> set[int]:
        return set[int]().union(*(self._of.get(name, ()) for name in names))


def _places(numbers: Numbers, wanted: set[int]) -> NDArray[np.int64]:
    sought = np.fromiter(wanted, np.int64, len(wanted))
    sought.sort()
    return np.flatnonzero(np.isin(numbers, sought, assume_unique=True)) if len(sought) else np.zeros(0, np.int64)
