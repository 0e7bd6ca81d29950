"""The account PostgreSQL runs as: it refuses root, so root hands it to an unprivileged user, in folders that user can reach."""

import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.platform.errors import TerminalError

# Tried in this order; the first two are the natural owners of a person's or a server's data, the last is on every system.
_SUDO_USER: Final = "SUDO_USER"
_NAMES: Final = ("postgres", "nobody")
_SHELTERS: Final = (Path("/var/lib/tripdeck"), Path("/var/tmp/tripdeck"))  # noqa: S108 - taken only when root owns it


@dataclass(frozen=True)
class Account:
    """A user and its first group, by number."""

    name: str
    uid: int
    gid: int


class AccountError(TerminalError):
    """No account or folder that PostgreSQL could use."""

    code = "no_account"


def find_account(data_dir: Path) -> Account | None:
    """Choose who runs a server over data_dir: nobody else when we aren't root, else the data's owner, else the first that exists.

    Raises: AccountError.
    """
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return _look_up(pwd.getpwuid(data_dir.stat().st_uid))
    for name in (os.environ.get(_SUDO_USER, ""), *_NAMES):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return _look_up(found)
    raise AccountError("PostgreSQL refuses to run as root and there is no user postgres or nobody; run as another user.")


def is_reachable(path: Path, account: Account | None) -> bool:
    """Say whether the account may enter every folder above path and read path itself."""
    if account is None:
        return True
    path = path.resolve()
    needed = 0o5 if path.is_dir() or os.access(path, os.X_OK) else 0o4
    return all(_allows(folder, account, 0o1) for folder in path.parents) and _allows(path, account, needed)


def shelter_folder(name: str) -> Path:
    """Make a folder outside root's private ones, where any account can enter.

    Raises: AccountError when the machine has no such place.
    """
    for shelter in _SHELTERS:
        try:
            shelter.mkdir(mode=0o755, parents=True, exist_ok=True)
            found = shelter.lstat()
            # In a folder everybody may write to, somebody else could have been first.
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            shelter.chmod(0o755)
            folder = shelter / name
            folder.mkdir(mode=0o755, exist_ok=True)
            folder.chmod(0o755)
        except OSError:
            continue
        return folder
    places = " nor ".join(str(shelter) for shelter in _SHELTERS)
    raise AccountError(f"PostgreSQL needs a folder that its user can enter, and neither {places} can be made.")


def place_data(folder: Path, account: Account | None) -> Path:
    """Make the data folder for an account: folder itself, or a shelter that folder then points to (a symbolic link).

    Raises: AccountError.
    """
    if folder.is_symlink() or folder.is_dir():
        return folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if account is None:
        folder.mkdir(mode=0o700)
        return folder.resolve()
    if is_reachable(folder.parent, account):
        place = folder
        place.mkdir(mode=0o700)
    else:
        place = shelter_folder("data") / secrets.token_hex(8)
        place.mkdir(mode=0o700)
        folder.symlink_to(place)
    os.chown(place, account.uid, account.gid)
    return place.resolve()


def _allows(path: Path, account: Account, needed: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == account.uid else 3 if found.st_gid == account.gid else 0
    return (found.st_mode >> shift) & needed == needed


def _look_up(found: pwd.struct_passwd) -> Account:
    return Account(found.pw_name, found.pw_uid, found.pw_gid)
