"""The tree: what it proves can be checked, and nothing else can."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bot import merkle

# RFC 6962 reference vectors (certificate-transparency's merkletree tests): the entries, and the root over the first n.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def grown(size: int, start: int = 0) -> merkle.Tree:
    tree = merkle.Tree()
    for number in range(start, start + size):
        tree.append(merkle.leaf(b"entry %d" % number))
    return tree


def test_the_roots_are_those_of_certificate_transparency():
    tree = merkle.Tree()
    for entry in ENTRIES:
        tree.append(merkle.leaf(entry))
    assert {size: tree.root(size).hex() for size in ROOTS} == ROOTS


@given(st.integers(1, 400), st.data())
def test_every_leaf_is_proved_and_no_other_place_or_root(size, data):
    tree = grown(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root, leaf = tree.inclusion(index, size), tree.root(), merkle.leaf(b"entry %d" % index)
    assert merkle.includes(index, size, leaf, proof, root)
    assert not merkle.includes(index, size, merkle.leaf(b"another"), proof, root)
    assert not merkle.includes(index, size, leaf, proof, hashlib.sha256(root).digest())
    assert not merkle.includes(index, size, leaf, [*proof, root], root)
    assert not merkle.includes(size, size, leaf, proof, root)
    other = data.draw(st.integers(0, size - 1))
    assert merkle.includes(other, size, leaf, proof, root) == (other == index)


@given(st.integers(1, 300), st.integers(0, 300))
def test_a_log_that_only_grew_is_proved_to_have_only_grown(old, more):
    tree = grown(old + more)
    proof = tree.consistency(old, tree.size)
    assert merkle.extends(old, tree.size, grown(old).root(), tree.root(), proof)
    assert not merkle.extends(old, tree.size, grown(old, start=1).root(), tree.root(), proof)
    assert not merkle.extends(old, tree.size, grown(old).root(), merkle.EMPTY, proof)


@given(st.integers(2, 200), st.data())
def test_a_log_cut_or_rewritten_before_what_was_seen_has_no_proof(old, data):
    changed = data.draw(st.integers(0, old - 1))
    rewritten = merkle.Tree()
    for number in range(old + 5):
        rewritten.append(merkle.leaf(b"rewritten" if number == changed else b"entry %d" % number))
    proof = rewritten.consistency(old, rewritten.size)
    assert not merkle.extends(old, rewritten.size, grown(old).root(), rewritten.root(), proof)
    assert not merkle.extends(old, old - 1, grown(old).root(), grown(old - 1).root(), [])


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_tree_that_is_cut_is_as_if_nothing_had_been_added(size, more):
    tree = grown(size + more)
    tree.cut(size)
    assert (tree.size, tree.root()) == (size, grown(size).root())
    for number in range(size, size + more):
        tree.append(merkle.leaf(b"entry %d" % number))
    assert tree.root() == grown(size + more).root()


def test_a_tile_is_found_where_tlog_tiles_says():
    tree = grown(70_000)
    paths = dict(merkle.tiles(tree)) | dict(
        merkle.bundle(start, [b"x"] * (end - start)) for start, end in merkle.spans(70_000)
    )
    assert {"tile/0/000", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= paths.keys()
    assert len(paths["tile/0/000"]) == 256 * 32
    assert paths["tile/1/000"][:32] == grown(256).root()
    assert paths["tile/entries/273.p/112"] == b"\0\1x" * 112


def test_tiles_beyond_a_thousand_go_into_directories():
    assert merkle.bundle(256 * 1_234_067, [b""] * 256)[0] == "tile/entries/x001/x234/067"
    assert merkle.bundle(256 * 1_000, [b""] * 3)[0] == "tile/entries/x001/000.p/3"
