"""Child processes of the demonstration: started, restarted when they die, stopped by their own id."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0  # seconds between asking to stop and killing
PAUSE = 0.5  # seconds before a process that died is started again


class ProcessDiedError(Exception):
    """A process of the demonstration ended before it was ready; its log says why."""


@dataclass(slots=True)
class Child:
    """One process with its own session, log file and environment; nothing of the caller's environment but PATH."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    watcher: asyncio.Task[None] | None = None
    stopping: bool = False
    starts: int = field(default=0)

    async def start(self) -> None:
        """The process runs, and is started again whenever it dies."""
        self.stopping = False
        self.log.unlink(missing_ok=True)  # what an earlier run said is not what this one says
        await self._spawn()
        self.watcher = asyncio.create_task(self._watch())

    async def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.argv,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal reaches us, and we stop them in order
            )
        self.starts += 1

    async def _watch(self) -> None:
        while self.process and not self.stopping:
            await self.process.wait()
            if self.stopping:
                return
            await asyncio.sleep(PAUSE)
            if not self.stopping:
                await self._spawn()

    def kill(self) -> None:
        """SIGKILL, as a crash would; it is started again."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """The process is asked to stop, waited for, and killed only where it does not."""
        self.stopping = True
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), GRACE)
            self.kill()
            await self.process.wait()
        if self.watcher:
            self.watcher.cancel()

    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return ""


async def ready(child: Child, probe: Callable[[], Awaitable[bool]], within: float = 60.0) -> None:
    """`probe` has answered yes. ProcessDiedError where the process died first or took longer than `within` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        if child.starts > 1 or not child.alive():
            raise ProcessDiedError(f"{child.name} ended before it was ready:\n{child.last_words()}")
        if await probe():
            return
        await asyncio.sleep(0.05)
    raise ProcessDiedError(f"{child.name} was not ready within {within:.0f} s:\n{child.last_words()}")


def plain_environment() -> dict[str, str]:
    """What a child needs of ours: where programs and certificates are, nothing that could be a production setting."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
