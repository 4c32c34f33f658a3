"""Signed notes: what the sealer and the witness put their names to. Pure.

After C2SP signed-note, tlog-checkpoint, tlog-cosignature (cosignature/v1) and tlog-proof@v1, so that software that is
not ours can check what we signed. Keys are written as golang.org/x/mod/sumdb/note writes them.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519, COSIGNATURE = 1, 4  # kinds of signature, in C2SP signed-note
DASH = "\u2014 "
NAME = re.compile(r"[^\s+\x00-\x1f]+")
MOST_SIGNATURES = 100
ROOT = 32
PROOF = "c2sp.org/tlog-proof@v1"


class NoteError(Exception):
    """The note, key or proof is not what it should be; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Whose signatures can be checked: the public half of a key."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encode(bytes([self.kind]) + self.public)}"

    @classmethod
    def read(cls, text: str) -> "Verifier":
        """What `str` wrote."""
        name, _, rest = text.strip().partition("+")
        shown, _, key = rest.partition("+")
        raw = _decode(key)
        if not NAME.fullmatch(name) or len(raw) != 1 + ROOT or raw[0] not in {ED25519, COSIGNATURE}:
            raise NoteError("This is no verifier key.")
        made = cls(name, raw[0], raw[1:])
        if made.id.hex() != shown:
            raise NoteError("The verifier key was changed: its own sum does not fit it.")
        return made

    def checks(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's for `text`."""
        message = text.encode()
        if self.kind == COSIGNATURE:
            if len(signature) != 8 + 64:
                return False
            message, signature = _cosigned(text, struct.unpack(">Q", signature[:8])[0]), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A name and its private key; never printed."""

    name: str
    key: Ed25519PrivateKey

    @classmethod
    def new(cls, name: str) -> "Signer":
        if not NAME.fullmatch(name):
            raise NoteError("A signer's name has no blanks and no plus sign.")
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, text: str) -> "Signer":
        """What `secret` wrote."""
        head, name, shown, key = (text.strip().removeprefix("PRIVATE+KEY").split("+", 3) + [""] * 4)[:4]
        raw = _decode(key)
        if head or not NAME.fullmatch(name) or len(raw) != 1 + ROOT or raw[0] != ED25519:
            raise NoteError("This is no signing key.")
        made = cls(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
        if made.verifier.id.hex() != shown:
            raise NoteError("The signing key was changed: its own sum does not fit it.")
        return made

    @property
    def secret(self) -> str:
        """The private key as one line of text."""
        raw = bytes([ED25519]) + self.key.private_bytes_raw()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.id.hex()}+{_encode(raw)}"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, ED25519, self.key.public_key().public_bytes_raw())

    @property
    def cosigner(self) -> Verifier:
        """The verifier of this key's cosignatures."""
        return Verifier(self.name, COSIGNATURE, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """`text` as a signed note."""
        assert text.endswith("\n"), "a note's text is whole lines"
        return f"{text}\n{_line(self.verifier, self.key.sign(text.encode()))}"

    def cosign(self, note: str, seconds: int) -> str:
        """`note` with one signature more: at that time (Unix seconds) we saw it, consistent with all before."""
        signature = struct.pack(">Q", seconds) + self.key.sign(_cosigned(split(note)[0], seconds))
        return note + _line(self.cosigner, signature)


def _line(verifier: Verifier, signature: bytes) -> str:
    return f"{DASH}{verifier.name} {_encode(verifier.id + signature)}\n"


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def split(untrusted_note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signatures as (name, key id and signature), none of them checked yet."""
    if any(ord(character) < ord(" ") and character != "\n" for character in untrusted_note):
        raise NoteError("A note has no control characters.")
    text, blank, signatures = untrusted_note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise NoteError("A note ends with a blank line and its signatures.")
    lines = signatures.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError("The note has too many signatures.")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    raw = _decode(encoded)
    if not line.startswith(DASH) or not NAME.fullmatch(name) or len(raw) <= 4:  # noqa: PLR2004 - the key's id
        raise NoteError("A signature's line is not one.")
    return name, raw


def opened(untrusted_note: str, verifiers: Iterable[Verifier]) -> tuple[str, frozenset[Verifier]]:
    """The note's text and who of `verifiers` signed it. A known key with a wrong signature spoils the note."""
    text, signatures = split(untrusted_note)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    signed: set[Verifier] = set()
    for name, raw in signatures:
        if verifier := known.get((name, raw[:4])):
            if not verifier.checks(text, raw[4:]):
                raise NoteError(f"The signature by {name} does not fit the note.")
            signed.add(verifier)
    return text, frozenset(signed)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole log at one time: whose it is, how many entries it has, and the hash over them."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """What `str` wrote; lines of an extension after it are let be."""
        lines = text.split("\n")
        if len(lines) < 4 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]) or not lines[0]:  # noqa: PLR2004
            raise NoteError("This is no checkpoint.")
        root = _decode(lines[2])
        if len(root) != ROOT:
            raise NoteError("The checkpoint's root is not a hash.")
        return cls(lines[0], int(lines[1]), root)


def checkpoint(untrusted_note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a note that `verifier` signed; NoteError where it did not."""
    text, signed = opened(untrusted_note, [verifier])
    if verifier not in signed:
        raise NoteError(f"The note is not signed by {verifier.name}.")
    made = Checkpoint.read(text)
    if verifier.kind == ED25519 and made.origin != verifier.name:
        raise NoteError(f"The checkpoint is of {made.origin}, not of {verifier.name}.")
    return made


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is in the log of a checkpoint, to be checked by anybody, offline."""

    index: int
    hashes: Sequence[bytes]
    note: str  # the signed checkpoint

    def __str__(self) -> str:
        hashes = "".join(f"{_encode(one)}\n" for one in self.hashes)
        return f"{PROOF}\nindex {self.index}\n{hashes}\n{self.note}"

    @classmethod
    def read(cls, untrusted_text: str) -> "Proof":
        """What `str` wrote; a line of extra data is let be."""
        head, _, note = untrusted_text.partition("\n\n")
        lines = [line for line in head.split("\n") if not line.startswith("extra ")]
        index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[1]) if len(lines) > 1 else None
        if lines[0] != PROOF or not index:
            raise NoteError("This is no proof.")
        hashes = [_decode(line) for line in lines[2:]]
        if any(len(one) != ROOT for one in hashes):
            raise NoteError("A line of the proof is not a hash.")
        return cls(int(index[1]), hashes, note)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("This is not base64.") from None
    if _encode(raw) != text:
        raise NoteError("This is not base64 as it should be written.")
    return raw
