"""A process with the model in it that forks another for each job: what is killed is real, the model is loaded once.

A job is a line of JSON on standard input; the child's process id is answered. The child's standard output is the file
that the job names, and DONE is its last line where nothing went wrong. `enrolment` is one run of `leadgate gallery enrol`, without the
command line; `service` is the matcher, as `python -m matcher` runs it.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path

import cv2
from pydantic import SecretStr

from deploy import enrol_run, manifest
from deploy.enrol_run import Terms
from matcher import app, gallery, pack
from matcher.enrolment import Rule
from matcher.faces import Faces
from matcher.settings import Settings

DONE = "done"


async def enrolment(job: dict, loaded: list[Faces]) -> None:
    read = manifest.read(Path(job["manifest"]))
    free = iter(loaded)
    pool = await gallery.connect(job["url"], job["name"])
    async with pool.acquire() as conn:
        terms = Terms("clerk", Rule("kills@1.0.0", "0" * 64, job["approval"]))
        await enrol_run.run(read, lambda: next(free), terms, job["workers"], lambda *_: None, conn)
    await pool.close()


async def service(job: dict, loaded: list[Faces]) -> None:
    app.SAVE_AFTER = 0.0  # a snapshot as soon as something changed: it is what is to be killed
    secret = SecretStr(job["secret"])
    await app.serve(
        Settings(database_url=SecretStr(job["url"]), secret=secret, port=0, cache=Path(job["cache"])), loaded[0]
    )


JOBS = {"enrolment": enrolment, "service": service}


def work(job: dict, loaded: list[Faces]) -> None:
    """In the child; never returns."""
    said = os.open(job["says"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    try:
        asyncio.run(JOBS[job["what"]](job, loaded))
        print(DONE, flush=True)
    except BaseException:  # noqa: BLE001 - it is told, and the forked process ends here
        traceback.print_exc()
    finally:
        os._exit(0)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they are gone when they have ended
    cv2.setNumThreads(1)
    folder = pack.default(Path(sys.argv[1]))
    loaded = [Faces(folder, threads=1) for _ in range(2)]  # one thread: none is there to be lost in a fork
    print(json.dumps({"model": loaded[0].model.sha256}), flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            work(json.loads(line), loaded)
        print(child, flush=True)


if __name__ == "__main__":
    main()
