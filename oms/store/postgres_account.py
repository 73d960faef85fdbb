"""The operating system account that an embedded PostgreSQL runs as.

PostgreSQL refuses to run as root. Started by root it runs as the owner of its data, else as
`postgres` or `nobody`; started by anybody else it runs as that user. Only the child process changes
its account.
"""

import os
import pwd
import stat
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

# Layout of the extended attribute that holds a POSIX access control list (linux/posix_acl_xattr.h).
_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_HEADER = struct.Struct("<I")
_ACL_ENTRY = struct.Struct("<HHI")
_ACL_VERSION = 2
_ACL_USER_OBJ, _ACL_USER, _ACL_GROUP_OBJ, _ACL_MASK, _ACL_OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_ACL_NO_ID = 0xFFFFFFFF
_EXECUTE = 1


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be found or started; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account other than our own that child processes change to."""

    name: str
    uid: int
    gid: int


def account_for(cluster_dir: Path) -> Account | None:
    """The account that runs the cluster in `cluster_dir` (perhaps yet to be made); None: ours."""
    if os.geteuid() != 0:
        return None
    existing = next(path for path in (cluster_dir, *cluster_dir.parents) if path.exists())
    owner = existing.stat().st_uid
    if owner != 0:
        try:
            return _account(pwd.getpwuid(owner))
        except KeyError:
            if existing == cluster_dir:
                raise EmbeddedPostgresError(
                    f"{existing} belongs to user id {owner}, which has no account here"
                ) from None
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'"
    )


def popen_options(account: Account | None) -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that make the child run as `account`, in its group alone."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def give(path: Path, account: Account | None) -> None:
    """Make `account` the owner of the directory `path`."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def let_through(path: Path, account: Account | None) -> None:
    """Let `account` pass through the parents of `path`, and do nothing else in them.

    A closed directory of root's (a checkout under /root, say) gets an access control entry that
    lets this one account traverse it, neither list nor read it. Directories of other users are left
    alone.
    """
    if account is None or _reaches(path, account):
        return
    opened = []
    for directory in reversed((path, *path.parents)):
        if _reaches(directory, account):
            continue
        try:
            if directory.stat().st_uid != 0:
                raise PermissionError
            _grant_traversal(directory, account.uid)
        except OSError as error:
            raise _closed(directory, path, account) from error
        if not _reaches(directory, account):
            raise _closed(directory, path, account)
        opened.append(str(directory))
    log.warning("postgres.directories_opened", account=account.name, directories=opened)


def open_to_all(trees: Iterable[Path]) -> None:
    """Make published files readable that were installed under a closed umask."""
    for tree in trees:
        for directory, _, names in os.walk(tree):
            for path in (Path(directory), *(Path(directory, name) for name in names)):
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    continue
                wanted = mode | 0o444 | (0o111 if mode & 0o100 else 0)
                if wanted != mode:
                    path.chmod(stat.S_IMODE(wanted))


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _reaches(directory: Path, account: Account) -> bool:
    """Whether `account` may enter `directory`: asked of the kernel, which knows every rule."""
    probe = ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)]
    options = popen_options(account)
    done = subprocess.run(probe, cwd="/", check=False, timeout=30, capture_output=True, **options)
    return done.returncode == 0


def _closed(directory: Path, path: Path, account: Account) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"account {account.name} cannot pass through {directory} to reach {path}: "
        f"choose another data directory, or run: chmod o+x {directory}"
    )


def _grant_traversal(directory: Path, uid: int) -> None:
    entries = {(tag, id_): permission for tag, permission, id_ in _read_acl(directory)}
    mask = entries.get((_ACL_MASK, _ACL_NO_ID), entries[_ACL_GROUP_OBJ, _ACL_NO_ID])
    entries[_ACL_MASK, _ACL_NO_ID] = mask | _EXECUTE
    entries[_ACL_USER, uid] = entries.get((_ACL_USER, uid), 0) | _EXECUTE
    packed = b"".join(_ACL_ENTRY.pack(tag, entries[tag, id_], id_) for tag, id_ in sorted(entries))
    os.setxattr(directory, _ACL_ATTRIBUTE, _ACL_HEADER.pack(_ACL_VERSION) + packed)


def _read_acl(directory: Path) -> list[tuple[int, int, int]]:
    try:
        raw = os.getxattr(directory, _ACL_ATTRIBUTE)
    except OSError:
        mode = directory.stat().st_mode
        return [
            (_ACL_USER_OBJ, mode >> 6 & 7, _ACL_NO_ID),
            (_ACL_GROUP_OBJ, mode >> 3 & 7, _ACL_NO_ID),
            (_ACL_OTHER, mode & 7, _ACL_NO_ID),
        ]
    return list(_ACL_ENTRY.iter_unpack(raw[_ACL_HEADER.size :]))
