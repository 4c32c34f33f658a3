"""What was released under a name and version never changes: the list of it, one line each. Pure.

A line is the SHA-256 of the pack's own file, its name and its version. Installations keep every text that they searched
under; another text under the same version could not be told from an altered one.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping

from policy.schema import PackError

HEAD = (
    "# SHA-256 of every shipped pack's file by version, written by `leadgate policy release`. No line ever changes.\n"
)


def read(text: str) -> Mapping[str, str]:
    """SHA-256 by name@version."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {f"{name}@{version}": digest for digest, name, version in lines}


def renewed(text: str, packs: Iterable[bytes]) -> str:
    """The list with what is new in it; PackError where a pack says something else under a version that was released."""
    known = dict(read(text))
    for pack in packs:
        digest, said = hashlib.sha256(pack).hexdigest(), tomllib.loads(pack.decode())
        name = f"{said['name']}@{said['version']}"
        if known.setdefault(name, digest) != digest:
            raise PackError(f"{said['name']}.toml: version: new-version: {name} was released with another text")
    return HEAD + "".join(f"{digest} {' '.join(name.split('@'))}\n" for name, digest in sorted(known.items()))
