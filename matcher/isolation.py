"""Untrusted bytes -> pixels, decoded in a process of its own: whatever happens there happens to one picture.

A picture is refused only for what it does to a process that has seen no other: what an earlier one may have left behind
is not its fault. As many processes are kept as pictures were ever decoded at once; they end with this one, however it
ends.
"""

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from io import RawIOBase
from pathlib import Path
from typing import cast

import numpy as np

from matcher.decoders import ANSWERS, FORMATS, HEAD, MAX_PIXELS, PIXELS, NotDecodedError, Pixels

SECONDS = 25.0  # by the clock, for one picture; by the processor's there are fewer (decoders.CPU_SECONDS)
PIPE = 1 << 20  # bytes on their way at once, where the system allows it
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux


class DiedError(Exception):
    """The process ended, or was ended, or answered nonsense, while it had the picture."""


def pixels(untrusted: bytes, kind: str) -> Pixels:
    """RGB, uint8 of shape (height, width, 3); `kind`: one of decoders.FORMATS. NotDecodedError where there are none."""
    kept = _KEPT.taken()
    for decoder in (kept, None) if kept else (None,):
        with contextlib.suppress(DiedError):
            return _answered(decoder or Decoder(), untrusted, kind)
    raise NotDecodedError("damaged")


def _answered(decoder: "Decoder", untrusted: bytes, kind: str) -> Pixels:
    try:
        return decoder.pixels(untrusted, kind)
    finally:
        _KEPT.back(decoder)


class Decoder:
    """One such process. It has neither our environment nor our files."""

    def __init__(self) -> None:
        there = {"PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "matcher.decoders"],
            env=there | {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # what interrupts us at a terminal does not interrupt it in the middle of a picture
        )
        self._asked, self._answers = (cast("RawIOBase", end) for end in (self.process.stdin, self.process.stdout))
        with contextlib.suppress(ImportError, OSError):
            from fcntl import fcntl

            for end in (self._asked, self._answers):
                fcntl(end.fileno(), SET_PIPE_SIZE, PIPE)

    def pixels(self, untrusted: bytes, kind: str) -> Pixels:
        """What is in the picture. DiedError where the process did not outlive it; it is not to be asked again."""
        watch = threading.Timer(SECONDS, self.process.kill)
        watch.start()
        try:
            answer = self._asked_for(untrusted, kind)
        except (OSError, DiedError) as error:
            self.end()
            raise DiedError from error
        except BaseException:  # interrupted: what comes next would answer what was asked before
            self.end()
            raise
        finally:
            watch.cancel()
        if isinstance(answer, str):
            raise NotDecodedError(answer)
        return answer

    def _asked_for(self, untrusted: bytes, kind: str) -> Pixels | str:
        for part in (HEAD.pack(FORMATS.index(kind), len(untrusted), 0), untrusted):
            rest = memoryview(part)
            while rest:
                rest = rest[self._asked.write(rest) :]
        what, width, height = HEAD.unpack(self._read(HEAD.size).tobytes())
        if what >= len(ANSWERS) or width * height > MAX_PIXELS or (ANSWERS[what] == PIXELS) != bool(width * height):
            raise DiedError  # a picture has taken it over
        if ANSWERS[what] != PIXELS:
            return ANSWERS[what]
        return self._read(width * height * 3).reshape(height, width, 3)

    def _read(self, count: int) -> Pixels:
        out, at = np.empty(count, np.uint8), 0
        while at < count:
            got = self._answers.readinto(out[at:].data)
            if not got:
                raise DiedError
            at += got
        return out

    def end(self) -> None:
        """The process has ended: it holds nothing that could be lost."""
        self.process.kill()
        self.process.wait()
        self._asked.close()
        self._answers.close()

    @property
    def ended(self) -> bool:
        return self.process.returncode is not None


class Decoders:
    """Those that wait for a picture, whichever thread of this process comes with it. Each has seen others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Decoder] = []
        self._owner = 0

    def taken(self) -> Decoder | None:
        """One that waits; None where all are busy."""
        with self._lock:
            if self._owner != os.getpid():  # forked: those that are listed answer somebody else
                self._owner, self._idle = os.getpid(), []
                atexit.register(self.end)
            return self._idle.pop() if self._idle else None

    def back(self, decoder: Decoder) -> None:
        """It waits for the next picture, if it lives."""
        if not decoder.ended:
            with self._lock:
                self._idle.append(decoder)

    def end(self) -> None:
        """None is left."""
        with self._lock:
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.end()


_KEPT = Decoders()  # empty: the first is started with the first picture
