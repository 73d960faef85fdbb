"""A real PostgreSQL server of our own, started from a data directory, ended with its starter.

It listens on a unix socket only, in a private directory whose path depends on the data directory
alone, so its URL is the same at every start. Whoever calls `start` first owns the server and ends
it by `stop` or by dying, SIGKILL included (Linux); whoever calls it while the server runs is given
the same URL and owns nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import structlog

from oms.store.postgres_account import (
    Account,
    EmbeddedPostgresError,
    account_for,
    give,
    let_through,
    popen_options,
)
from oms.store.postgres_binaries import Binaries, find_binaries
from oms.store.postgres_cluster import (
    cluster_dir,
    configure_cluster,
    create_cluster,
    existing_cluster,
    furnish_cluster,
    server_environment,
    write_as,
)
from oms.store.postgres_process import (
    PidFile,
    die_with_parent,
    is_alive,
    log_tail,
    process_facts,
    read_pid_file,
    serves,
)
from oms.store.postgres_urls import DATABASE, OWNER_ROLE, SUPERUSER, role_url, socket_url

log = structlog.get_logger(__name__)

# Short, as a unix socket's path may have about 100 characters, and the same whatever TMPDIR says.
_SOCKET_PARENT = Path("/tmp")  # noqa: S108 -- the directory made in it is private and its owner is checked
_POLL_S = 0.005
_LOOK_S = 0.25
_LOG_LINES = 2_000
_FAILED_INSIDE = "all server processes terminated; reinitializing"
_READY = "ready to accept connections"
_LOG_LIMIT_BYTES = 16 * 1024 * 1024
# What a postmaster says when the last one's backends have not all noticed its death yet: they will.
_PASSING_ERRORS = ("is still in use", "lock file")


class EmbeddedPostgres:
    """One server over one data directory; also a context manager. `start` from the main thread."""

    def __init__(
        self, data_dir: Path, *, bin_dir: Path | None = None, start_timeout_s: float = 120.0
    ) -> None:
        """`start_timeout_s` bounds `start`: the wait for another starter, initdb, recovery."""
        self._data_dir = data_dir.resolve()
        self._bin_dir = bin_dir
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._started_by = 0
        self._running: PidFile | None = None
        self._cluster: Path | None = None

    @property
    def url(self) -> str:
        """URL of our database for the role that owns its schema."""
        if self._running is None or self._running.socket_dir is None:
            msg = f"the PostgreSQL server of {self._data_dir} has not been started"
            raise EmbeddedPostgresError(msg)
        return socket_url(
            self._running.socket_dir, role=OWNER_ROLE, database=DATABASE, port=self._running.port
        )

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._running is None:
            msg = f"the PostgreSQL server of {self._data_dir} has not been started"
            raise EmbeddedPostgresError(msg)
        return self._running.pid

    @property
    def owned(self) -> bool:
        """Whether this object started the server, so that it ends with us."""
        return self._process is not None and self._started_by == os.getpid()

    @property
    def has_died(self) -> bool:
        """Whether the server that this object started is gone, or will never get ready again;
        `start` may bring it back.
        """
        if self._started_by != os.getpid():
            return False
        return self._process is None or self._process.poll() is not None or self._has_failed()

    def _has_failed(self) -> bool:
        """One of its processes failed, and then one while that was recovered from: the postmaster
        may live on without ever getting ready (seen with PostgreSQL 18 and a full disk).
        """
        found = read_pid_file(self._cluster) if self._cluster is not None else None
        if found is None or found.status == "ready":
            return False
        said = log_tail(self._data_dir / "postgresql.log", start=0, lines=_LOG_LINES)
        return said.rpartition(_READY)[2].count(_FAILED_INSIDE) > 1

    def start(self) -> str:
        """Start the server, or find it running; return its URL.

        Raises EmbeddedPostgresError, with the end of the server's log, when it is not ready in
        time.
        """
        if threading.current_thread() is not threading.main_thread():
            msg = "start PostgreSQL from the main thread: it ends with the thread that starts it"
            raise EmbeddedPostgresError(msg)
        deadline = time.monotonic() + self._start_timeout_s
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            with self._locked(deadline):
                self._start(deadline)
        except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
            msg = f"PostgreSQL in {self._data_dir} cannot be started: {error}"
            raise EmbeddedPostgresError(msg) from error
        return self.url

    def stop(self, timeout_s: float = 30.0) -> None:
        """Disconnect everybody and stop the server if we started it; harmless otherwise."""
        process, self._process = self._process, None
        running, self._running = self._running, None
        started_by, self._started_by = self._started_by, 0
        if process is None or started_by != os.getpid():
            return
        deadline = time.monotonic() + timeout_s
        with contextlib.ExitStack() as stack:
            # Under the lock nobody else is starting, so nobody needs the socket's directory.
            locked = True
            try:
                stack.enter_context(self._locked(deadline))
            except EmbeddedPostgresError:
                locked = False
            _end(process, deadline)
            if locked and running is not None and running.socket_dir is not None:
                with contextlib.suppress(OSError):
                    running.socket_dir.rmdir()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, deadline: float) -> None:
        if self._process is not None and self.has_died:
            _end(self._process, time.monotonic())
            self._process = None
        major = existing_cluster(self._data_dir)
        if major is not None:
            self._running = self._find_running(cluster_dir(self._data_dir, major), deadline)
            if self._running is not None:
                if self._process is None:  # somebody else was faster
                    self._started_by = 0
                return
        target = self._data_dir if major is None else cluster_dir(self._data_dir, major)
        account = account_for(target)
        binaries = find_binaries(bin_dir=self._bin_dir, account=account, cluster_major=major)
        self._cluster = cluster = cluster_dir(self._data_dir, binaries.major)
        let_through(self._data_dir, account)
        if major is None:
            create_cluster(cluster, binaries, account)
        configure_cluster(cluster, account)
        socket_dir = _make_socket_dir(self._data_dir, account)
        try:
            self._running = self._launch(cluster, socket_dir, binaries, account, deadline)
            furnish_cluster(role_url(self.url, SUPERUSER))
        except BaseException:
            process, self._process, self._running = self._process, None, None
            if process is not None:
                _end(process, time.monotonic() + 10)
            with contextlib.suppress(OSError):
                socket_dir.rmdir()
            raise

    def _find_running(self, cluster: Path, deadline: float) -> PidFile | None:
        """The running server, or None; one that is about to end is waited for."""
        asked_to_end = False
        while True:
            found = read_pid_file(cluster)
            if found is None or not serves(found.pid, cluster):
                return None
            orphan = self._is_orphan(found.pid)
            if found.status == "ready" and not orphan:
                return found
            if orphan and not asked_to_end:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGINT)
                asked_to_end = True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL (process {found.pid}) in {cluster} neither gets ready nor ends: "
                    f"its status is {found.status!r}"
                )
            time.sleep(_POLL_S)

    def _is_orphan(self, postmaster: int) -> bool:
        """Whether its starter is dead, so that it is ending though it may still say "ready"."""
        facts = process_facts(postmaster)
        words = self._lock_file.read_text().split()
        if facts is None or len(words) != 2 or words[1] != str(postmaster):
            return False  # started by hand, not by us
        return str(facts.parent_pid) != words[0]

    def _launch(
        self,
        cluster: Path,
        socket_dir: Path,
        binaries: Binaries,
        account: Account | None,
        deadline: float,
    ) -> PidFile:
        log_file = self._data_dir / "postgresql.log"
        if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT_BYTES:
            log_file.replace(log_file.with_suffix(".log.1"))
        while True:
            _disown_stale_pid_file(cluster, account)
            log_start = log_file.stat().st_size if log_file.exists() else 0
            process = _spawn(binaries, cluster, socket_dir, log_file, account)
            self._process, self._started_by = process, os.getpid()
            self._lock_file.write_text(f"{os.getpid()} {process.pid}\n")
            running = _wait_until_ready(process, cluster, log_start, deadline)
            if running is not None:
                return running
            self._process = None
            said = log_tail(log_file, start=log_start)
            passing = any(text in said for text in _PASSING_ERRORS)
            if not passing or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start in {cluster} (exit code {process.returncode}). "
                    f"It said:\n{said}"
                )
            time.sleep(_POLL_S)

    @property
    def _lock_file(self) -> Path:
        return self._data_dir / "starter.lock"

    @contextlib.contextmanager
    def _locked(self, deadline: float) -> Iterator[None]:
        """One starter or stopper at a time. The file says who started which postmaster."""
        with self._lock_file.open("a") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EmbeddedPostgresError(
                            f"another process starts PostgreSQL in {self._data_dir}, for too long"
                        ) from None
                    time.sleep(_POLL_S)
            yield


def _spawn(
    binaries: Binaries, cluster: Path, socket_dir: Path, log_file: Path, account: Account | None
) -> subprocess.Popen[bytes]:
    settings = (
        "listen_addresses=",
        f"unix_socket_directories={socket_dir}",
        "unix_socket_permissions=0700",
        "port=5432",
    )
    command = [str(binaries.bin_dir / "postgres"), "-D", str(cluster)]
    for setting in settings:
        command += ["-c", setting]
    output = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        return subprocess.Popen(
            command,
            cwd="/",
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in a terminal is for us: the last batch is to be committed before the server
            # goes.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 -- two system calls
            **popen_options(account),
        )
    finally:
        os.close(output)


def _wait_until_ready(
    process: subprocess.Popen[bytes], cluster: Path, log_start: int, deadline: float
) -> PidFile | None:
    """The pid file of the ready server, or None if it ended.

    One of whose processes fails while it recovers, for want of disk, say, may live on without ever
    getting ready: it is ended. log_start: where its log begins.
    """
    look_at = 0.0
    while process.poll() is None:
        found = read_pid_file(cluster)
        if found is not None and found.pid == process.pid and found.status == "ready":
            return found
        if (now := time.monotonic()) >= look_at:
            look_at = now + _LOOK_S
            said = log_tail(cluster.parent / "postgresql.log", start=log_start, lines=_LOG_LINES)
            if _FAILED_INSIDE in said:
                log.warning("postgres.failed_while_starting", pid=process.pid)
                _end(process, now)
                return None
        if time.monotonic() > deadline:
            said = log_tail(cluster.parent / "postgresql.log", start=0)
            msg = f"PostgreSQL in {cluster} was not ready in time. It said:\n{said}"
            raise EmbeddedPostgresError(msg)
        time.sleep(_POLL_S)
    return None


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Fast shutdown, or after too long an immediate one, which the next start recovers from."""
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(signum)
        try:
            process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("postgres.signal_unheeded", pid=process.pid, signal=signum.name)
        else:
            return


def _disown_stale_pid_file(cluster: Path, account: Account | None) -> None:
    """Let a postmaster start over the pid file of a dead one whose number another process has.

    PostgreSQL takes such a number for a rival, but never its own parent's, which is ours. The file
    is not removed, because its line on shared memory guards against backends that outlived their
    postmaster.
    """
    stale = read_pid_file(cluster)
    if stale is not None and is_alive(stale.pid):
        path = cluster / "postmaster.pid"
        _, _, rest = path.read_text().partition("\n")
        write_as(path, f"{os.getpid()}\n{rest}", account)


def _make_socket_dir(data_dir: Path, account: Account | None) -> Path:
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()
    path = _SOCKET_PARENT / f"plumbline-{digest[:16]}"
    owner = os.geteuid() if account is None else account.uid
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        give(path, account)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        msg = f"{path}, where PostgreSQL's socket belongs, is somebody else's: remove it"
        raise EmbeddedPostgresError(msg)
    path.chmod(0o700)
    give(path, account)
    return path
