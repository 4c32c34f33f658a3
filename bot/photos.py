"""Photographs at rest: encrypted under a key of their search, hashed, never decoded here."""

import hashlib
import secrets
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from bot.database import Conn
from policy.model import SearchId

Kind = Literal["original", "copy", "marked"]


class PhotoSealError(Exception):
    """A stored photograph does not open: the wrong key, or the row was altered or moved to another search."""


WRAPPED = "SELECT wrapped FROM casework.seal_key WHERE search = $1"
WRAP = "INSERT INTO casework.seal_key (search, wrapped) VALUES ($1, $2) ON CONFLICT (search) DO NOTHING"
KEEP = """
INSERT INTO casework.photo (search, kind, sha256, nonce, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (search, kind) DO NOTHING
"""
OPEN = "SELECT sha256, nonce, sealed FROM casework.photo WHERE search = $1 AND kind = $2"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def keep(conn: Conn, kek: bytes, search: SearchId, kind: Kind, data: bytes) -> str:
    """`data` is stored sealed, once; answers its SHA-256."""
    digest = sha256(data)
    nonce, closed = await sealed(conn, kek, search, f"{kind}|{digest}", data)
    await conn.execute(KEEP, search, kind, digest, nonce, closed)
    return digest


async def opened(conn: Conn, kek: bytes, search: SearchId, kind: Kind) -> bytes | None:
    """The photograph's bytes, or None where none of that kind was kept. PhotoSealError where it was tampered with."""
    row = await conn.fetchrow(OPEN, search, kind)
    if row is None:
        return None
    return await unsealed(conn, kek, search, f"{kind}|{row['sha256']}", row["nonce"], row["sealed"])


KEEP_PREPARED = """
INSERT INTO casework.prepared (search, sha256, nonce, sealed) VALUES ($1, $2, $3, $4)
ON CONFLICT (search, sha256) DO NOTHING
"""
PREPARED = "SELECT nonce, sealed FROM casework.prepared WHERE search = $1 AND sha256 = $2"


async def keep_prepared(conn: Conn, kek: bytes, search: SearchId, data: bytes) -> str:
    """A copy that was prepared for the search is kept for good; answers its SHA-256."""
    digest = sha256(data)
    nonce, closed = await sealed(conn, kek, search, f"prepared|{digest}", data)
    await conn.execute(KEEP_PREPARED, search, digest, nonce, closed)
    return digest


async def prepared(conn: Conn, kek: bytes, search: SearchId, digest: str) -> bytes | None:
    """The copy with that SHA-256, or None where none was kept."""
    row = await conn.fetchrow(PREPARED, search, digest)
    return await unsealed(conn, kek, search, f"prepared|{digest}", row["nonce"], row["sealed"]) if row else None


async def sealed(conn: Conn, kek: bytes, search: SearchId, what: str, data: bytes) -> tuple[bytes, bytes]:
    """(nonce, ciphertext) under the search's own key, bound to the search and to what it is."""
    nonce = secrets.token_bytes(12)
    return nonce, AESGCM(await _key(conn, kek, search)).encrypt(nonce, data, _bound_to(search, what))


async def unsealed(conn: Conn, kek: bytes, search: SearchId, what: str, nonce: bytes, closed: bytes) -> bytes:
    """What was sealed. PhotoSealError where it was altered, moved to another search or given another name."""
    try:
        return AESGCM(await _key(conn, kek, search)).decrypt(nonce, closed, _bound_to(search, what))
    except InvalidTag as error:
        raise PhotoSealError(f"{search} {what}") from error


async def _key(conn: Conn, kek: bytes, search: SearchId) -> bytes:
    await conn.execute(WRAP, search, aes_key_wrap(kek, secrets.token_bytes(32)))
    return aes_key_unwrap(kek, await conn.fetchval(WRAPPED, search))


def _bound_to(search: SearchId, what: str) -> bytes:
    return f"leadgate photo v1|{search}|{what}".encode()
