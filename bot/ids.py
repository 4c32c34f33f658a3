"""Ids are minted here and nowhere else."""

import hashlib
import secrets
from base64 import b32encode

from policy.model import Label, SearchId

UNMISTAKABLE = "ABCDEFGHJKLMNPQRTUVWXYZ"  # no I, O, S: they read as 1, 0, 5


def search_of(team: str, file: str) -> SearchId:
    """The search of one posted photograph: the same for every redelivery, every form opened, every submission."""
    digest = hashlib.sha256(f"leadgate search\0{team}\0{file}".encode()).digest()
    return SearchId("LG-" + b32encode(digest).decode()[:12])


def labels(count: int) -> tuple[Label, ...]:
    """`count` different names for candidates, in an order that says nothing about their rank (M17)."""
    every = [Label(a + str(b)) for a in UNMISTAKABLE for b in range(2, 10)]
    return tuple(secrets.SystemRandom().sample(every, count))


def draw() -> str:
    """What chance says: nobody can foresee whom a draw names (X1, S9)."""
    return secrets.token_hex(16)


def known_answer() -> str:
    """The name of a known-answer case; says nothing of its answer."""
    return secrets.token_hex(16)


def post_key(search: str, what: str) -> str:
    """The opaque key that an outward post carries: any app of the workspace may read it, so it says nothing."""
    return hashlib.sha256(f"leadgate post\0{search}\0{what}".encode()).hexdigest()[:32]


def bundle_seed(search: str, examiner: str) -> str:
    """Seeds the order in which one examiner sees the candidates of one search."""
    return hashlib.sha256(f"leadgate order\0{search}\0{examiner}".encode()).hexdigest()
