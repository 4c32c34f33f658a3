"""The tree over all sealed entries, and what can be proved from it. Pure; hashes are 32 bytes.

After RFC 6962, 2.1 (hashes), RFC 9162, 2.1.3 and 2.1.4 (checking proofs), and C2SP tlog-tiles (the tree as files).
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence

WIDTH = 32  # bytes of a hash
TILE = 256  # hashes in a full tile
EMPTY = hashlib.sha256(b"").digest()


def leaf(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(width: int) -> int:
    """The largest power of two below `width`: where a tree of that many leaves divides."""
    return 1 << ((width - 1).bit_length() - 1)


class Tree:
    """All complete subtrees, by height; leaves are appended, never changed."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // WIDTH

    def append(self, hashed: bytes) -> None:
        """One leaf more, and every subtree that it completes."""
        index = self.size
        self._levels[0] += hashed
        level = 0
        while index & 1:
            done = self._levels[level]
            above = node(bytes(done[-2 * WIDTH : -WIDTH]), bytes(done[-WIDTH:]))
            level, index = level + 1, index >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += above

    def cut(self, size: int) -> None:
        """Back to the first `size` leaves: what came after was not committed."""
        for level, hashes in enumerate(self._levels):
            del hashes[(size >> level) * WIDTH :]

    def subtree(self, level: int, index: int) -> bytes:
        """The complete subtree of 2**level leaves, the index-th of that height."""
        return bytes(self._levels[level][index * WIDTH : (index + 1) * WIDTH])

    def root(self, size: int | None = None) -> bytes:
        """The hash over the first `size` leaves, or over all."""
        return self._range(0, self.size if size is None else size)

    def _range(self, start: int, end: int) -> bytes:
        width = end - start
        if width == 0:
            return EMPTY
        if width & (width - 1) == 0 and start % width == 0:
            return self.subtree(width.bit_length() - 1, start // width)
        middle = start + _split(width)
        return node(self._range(start, middle), self._range(middle, end))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proves that leaf `index` is among the first `size`."""
        assert 0 <= index < size <= self.size, "only what is in the tree can be proved"
        return list(self._path(index, 0, size))

    def _path(self, index: int, start: int, end: int) -> Iterator[bytes]:
        if end - start == 1:
            return
        middle = start + _split(end - start)
        if index < middle:
            yield from self._path(index, start, middle)
            yield self._range(middle, end)
        else:
            yield from self._path(index, middle, end)
            yield self._range(start, middle)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Proves that the first `old` leaves are the beginning of the first `size`."""
        assert 0 <= old <= size <= self.size, "only what is in the tree can be proved"
        return [] if old in (0, size) else list(self._growth(old, 0, size, whole=True))

    def _growth(self, old: int, start: int, end: int, *, whole: bool) -> Iterator[bytes]:
        if old == end:
            if not whole:
                yield self._range(start, end)
            return
        middle = start + _split(end - start)
        if old <= middle:
            yield from self._growth(old, start, middle, whole=whole)
            yield self._range(middle, end)
        else:
            yield from self._growth(old, middle, end, whole=False)
            yield self._range(start, middle)


def includes(index: int, size: int, hashed: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf at `index` of the tree with `size` leaves and this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, result = index, size - 1, hashed
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            result = node(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == root


def extends(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `old` leaves is the beginning of that of `size` (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not proof and old_root == root
    if old == 0:
        return not proof and old_root == EMPTY
    if not 0 < old < size or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node(sibling, before), node(sibling, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == root


# --- the tree as files: C2SP tlog-tiles -------------------------------------------------------------------------------


def tiles(tree: Tree) -> Iterator[tuple[str, bytes]]:
    """Every tile of the tree, by path."""
    level, size = 0, tree.size
    while size:
        for start, end in spans(size):
            hashes = (tree.subtree(8 * level, index) for index in range(start, end))
            yield f"tile/{level}/{_tile_name(start, end)}", b"".join(hashes)
        level, size = level + 1, size >> 8


def bundle(start: int, entries: Sequence[bytes]) -> tuple[str, bytes]:
    """The path and content of the file of the entries from leaf `start` on, one span of them."""
    framed = (struct.pack(">H", len(entry)) + entry for entry in entries)
    return f"tile/entries/{_tile_name(start, start + len(entries))}", b"".join(framed)


def spans(size: int) -> Iterator[tuple[int, int]]:
    """How `size` hashes or entries are divided into files: (start, end) of each."""
    for start in range(0, size, TILE):
        yield start, min(start + TILE, size)


def _tile_name(start: int, end: int) -> str:
    """The path of a tile below its level: x001/x234/067, and .p/<width> behind it where it is not full."""
    number, width = start // TILE, end - start
    name = f"{number % 1000:03d}"
    while number >= 1000:  # noqa: PLR2004 - three digits a directory
        number //= 1000
        name = f"x{number % 1000:03d}/{name}"
    return name if width == TILE else f"{name}.p/{width}"
