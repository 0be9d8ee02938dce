"""Where a node on an industrial box keeps what must outlive it."""

import errno
import os
from pathlib import Path

_ELSEWHERE = "name another folder with --state, or in [report.outbox]"


def state_folder(environment=None, user=None) -> Path:
    """The folder of this user's nodes: that of the systemd service, else /var/lib for root, else of the home.

    ``environment`` is os.environ, ``user`` the effective user id, where nothing else is said.
    """
    environment = os.environ if environment is None else environment
    user = os.geteuid() if user is None else user
    service = environment.get("STATE_DIRECTORY")
    if service:
        # systemd lists several, with colons.
        return Path(service.split(":")[0])
    if user == 0:
        return Path("/var/lib/furnace-edge")
    state = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = Path.home() / ".local" / "state"
    return Path(state) / "furnace-edge"


def place_outbox(description: dict, folder=None):
    """Make the path of the outbox absolute, below ``folder`` or the state folder, and make its folder.

    Nothing where the description has no outbox. ValueError where that can't be, because of what the path
    names or of whose it is. A disk that is full or broken is no reason: a furnace is controlled without it.
    """
    outbox = description["report"].get("outbox")
    if outbox is None:
        return
    outbox["path"] = _placed(Path(folder or state_folder()) / outbox["path"], "the outbox")


def place_kept(description: dict, folder=None):
    """Say where what outlives a power cut is kept, as ``place_outbox``; nothing where there is nothing to keep."""
    order = description["order"]
    if not order["programme"] and not order["trip"]:
        return
    settings = description["node"]
    path = Path(folder or state_folder()) / f"{settings['site']}-{settings['name']}.kept"
    description["kept"] = {"path": _placed(path, "the state of the node")}


def _placed(path: Path, what: str) -> str:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if not is_mistake(error) and not isinstance(error, PermissionError):
            return str(path.absolute())
        text = f"{what} can't be kept in {path.parent}: {error.strerror}"
        raise ValueError(f"{text}; {_ELSEWHERE}") from error
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder, expected a file for {what}; {_ELSEWHERE}")
    if _forbidden(path):
        raise ValueError(f"{what} can't be kept in {path}: this user may not write there; {_ELSEWHERE}")
    return str(path.absolute())


def _forbidden(path: Path) -> bool:
    """Whether the rights of the folder, or of an outbox that is there, forbid it."""
    for name, flags in ((path, 0), (f"{path}.lock", os.O_CREAT)):
        try:
            os.close(os.open(name, os.O_RDWR | os.O_CLOEXEC | flags, 0o600))
        except PermissionError:
            return True
        except OSError:
            continue  # not there yet, or the disk
    return False


def is_mistake(error: OSError) -> bool:
    """Whether it says that the path names the wrong thing. Any other error may be the disk's."""
    if error.errno == errno.EEXIST:
        return os.path.exists(error.filename)  # else a link to where a disk should be
    return error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)
