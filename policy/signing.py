"""A pack is signed (Ed25519), so that nobody changes what is permitted without the key of whoever may.

Signature and key files are one line of text. Reading the files is the caller's business, and so is whom to trust.
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policy.schema import PackError

CONTEXT = b"leadgate policy pack v1\n"  # a signature on a pack can never pass for one on anything else
ALGORITHM = "ed25519"


def sign(text: bytes, name: str, private_key: str) -> str:
    """The signature file for the pack `name` whose file holds exactly `text`."""
    key = Ed25519PrivateKey.from_private_bytes(_payload(private_key, "private", "private key"))
    public = key.public_key().public_bytes_raw()
    return f"{ALGORITHM} {key_id(public)} {_text(key.sign(_message(text, name)))}\n"


def verify(text: bytes, name: str, signature: str, public_key: str) -> None:
    """The text is what the holder of the trusted key signed under this name; else PackError."""
    key = _payload(public_key, "public", "trusted public key")
    words = signature.split()
    if len(words) != 3 or words[0] != ALGORITHM:  # noqa: PLR2004 - algorithm, key, signature
        raise PackError(f"{name}.toml.sig:1: signature: wrong-signature: this is not a signature file")
    if words[1] != key_id(key):
        raise PackError(
            f"{name}.toml.sig:1: signature: wrong-signature: signed with key {words[1]}, "
            f"but the key trusted here is {key_id(key)}"
        )
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(_bytes(words[2]), _message(text, name))
    except (InvalidSignature, binascii.Error, ValueError):
        raise PackError(
            f"{name}.toml:1: signature: wrong-signature: the pack was altered after it was signed. It is not used. "
            "Restore it, or have whoever answers for it sign it again."
        ) from None


def key_id(public_key: bytes) -> str:
    """Eight bytes of the key's SHA-256: enough to tell keys apart in a message."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def key_files(seed: bytes) -> tuple[str, str]:
    """The private and the public key file that 32 random bytes make."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    return f"{ALGORITHM}-private {_text(seed)}\n", f"{ALGORITHM}-public {_text(public)}\n"


def _payload(file: str, kind: str, what: str) -> bytes:
    words = file.split()
    try:
        if len(words) == 2 and words[0] == f"{ALGORITHM}-{kind}" and len(raw := _bytes(words[1])) == 32:  # noqa: PLR2004
            return raw
    except binascii.Error:
        pass
    raise PackError(f"the {what} is not one line “{ALGORITHM}-{kind} …” as `leadgate policy key` writes it")


def _message(text: bytes, name: str) -> bytes:
    return CONTEXT + name.encode() + b"\n" + text


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
