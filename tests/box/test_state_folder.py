"""Where the outbox is kept: one place per user, and every one can be named otherwise."""

import errno
import os
from pathlib import Path

import pytest

from edge.box.state_folder import place_kept, place_outbox, state_folder


@pytest.mark.parametrize(
    ("environment", "user", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/private/furnace"}, 0, "/var/lib/private/furnace"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/x"}, 1000, "/var/lib/a"),
        ({}, 0, "/var/lib/furnace-edge"),
        ({"XDG_STATE_HOME": "/x"}, 0, "/var/lib/furnace-edge"),
        ({"XDG_STATE_HOME": "/x"}, 1000, "/x/furnace-edge"),
        ({"XDG_STATE_HOME": "relative"}, 1000, "/home/k/.local/state/furnace-edge"),
        ({}, 1000, "/home/k/.local/state/furnace-edge"),
    ],
)
def test_the_folder_of_a_user(environment, user, folder, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/k"))
    assert state_folder(environment, user) == Path(folder)


def described(path: str) -> dict:
    return {"report": {"outbox": {"path": path}}}


def test_a_relative_path_lies_below_the_folder(tmp_path):
    description = described("line1.outbox")
    place_outbox(description, tmp_path / "state")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "state" / "line1.outbox")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    place_outbox(description, tmp_path / "other")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "state" / "line1.outbox")


def test_an_absolute_path_stays(tmp_path):
    description = described(str(tmp_path / "deep" / "line1.outbox"))
    place_outbox(description, "/nowhere")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "deep" / "line1.outbox")
    assert (tmp_path / "deep").is_dir()


def test_by_default_it_is_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "mine"))
    description = described("line1.outbox")
    place_outbox(description)
    assert description["report"]["outbox"]["path"] == str(tmp_path / "mine" / "line1.outbox")


def test_a_folder_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    description = described("line1.outbox")
    place_outbox(description, "here")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "here" / "line1.outbox")


def test_without_an_outbox_nothing_is_made(tmp_path):
    place_outbox({"report": {}}, tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_a_folder_that_can_not_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="can't be kept in .*file/state.*--state"):
        place_outbox(described("x"), tmp_path / "file" / "state")


def test_a_folder_in_the_place_of_the_outbox(tmp_path):
    (tmp_path / "line1.outbox").mkdir()
    with pytest.raises(ValueError, match="line1.outbox is a folder, expected a file.*--state"):
        place_outbox(described("line1.outbox"), tmp_path)


def refusing(monkeypatch, error, ending):
    """The system's answer where a path ends so; root may write anywhere."""
    opened = os.open

    def open_or_refuse(path, *arguments, **options):
        if str(path).endswith(ending):
            raise error
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_or_refuse)


@pytest.mark.parametrize("ending", [".outbox", ".lock"])
def test_a_place_that_this_user_may_not_write_to(tmp_path, monkeypatch, ending):
    refusing(monkeypatch, PermissionError(13, "Permission denied"), ending)
    with pytest.raises(ValueError, match="can't be kept in .*line1.outbox: this user may not .*--state"):
        place_outbox(described("line1.outbox"), tmp_path)


def test_a_disk_that_is_read_only_or_full_keeps_no_furnace_from_being_controlled(tmp_path, monkeypatch):
    refusing(monkeypatch, OSError(30, "Read-only file system"), ".lock")
    refusing(monkeypatch, OSError(30, "Read-only file system"), ".outbox")
    place_outbox(described("line1.outbox"), tmp_path)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_folder_that_the_disk_does_not_let_us_make_keeps_no_furnace_from_being_controlled(
        number, tmp_path, monkeypatch):
    def fails(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    description = described("line1.outbox")
    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", fails)
        place_outbox(description, tmp_path / "state")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "state" / "line1.outbox")


def test_a_link_to_a_disk_that_is_not_there_keeps_no_furnace_from_being_controlled(tmp_path):
    (tmp_path / "state").symlink_to(tmp_path / "not_mounted")
    description = described("line1.outbox")
    place_outbox(description, tmp_path / "state")
    assert description["report"]["outbox"]["path"] == str(tmp_path / "state" / "line1.outbox")


def test_a_folder_that_this_user_may_not_make(tmp_path, monkeypatch):
    def fails(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "mkdir", fails)
    with pytest.raises(ValueError, match="can't be kept in .*state: Permission denied.*--state"):
        place_outbox(described("x"), tmp_path / "state")


def keeping(**order) -> dict:
    return {"order": {"programme": [], "trip": [], **order}, "node": {"site": "works", "name": "line1"}}


@pytest.mark.parametrize("order", [{"programme": ["firing"]}, {"trip": ["too_hot"]}])
def test_what_outlives_a_power_cut_lies_in_the_same_folder_under_the_name_of_the_node(tmp_path, order):
    description = keeping(**order)
    place_kept(description, tmp_path / "state")
    assert description["kept"] == {"path": str(tmp_path / "state" / "works-line1.kept")}


def test_a_node_with_nothing_to_keep_has_no_such_file(tmp_path):
    description = keeping()
    place_kept(description, tmp_path / "state")
    assert "kept" not in description and not (tmp_path / "state").exists()


def test_a_state_that_this_user_may_not_write_is_refused_before_the_start(tmp_path):
    (tmp_path / "works-line1.kept").mkdir()
    with pytest.raises(ValueError, match="works-line1.kept is a folder, expected a file for the state of the node"):
        place_kept(keeping(trip=["too_hot"]), tmp_path)
