"""Who may reach what: the folders of PostgreSQL's user."""

import os
from pathlib import Path

import pytest

from infra.embedded.account import Account, find_account, is_reachable, place_data

STRANGER = Account("stranger", 54_321, 54_321)


def make_path(folder: Path, modes: list[int]) -> Path:
    """Nested folders a, b, … with these modes, in a folder that a stranger could reach if pytest's own were open."""
    for number, mode in enumerate(modes):
        folder = folder / f"level{number}"
        folder.mkdir()
        folder.chmod(mode)
    return folder


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return tmp_path


def test_open_folders_are_reachable(open_folder: Path) -> None:
    assert is_reachable(make_path(open_folder, [0o711, 0o755]), STRANGER)


def test_one_private_folder_above_is_enough_to_be_out_of_reach(open_folder: Path) -> None:
    assert not is_reachable(make_path(open_folder, [0o755, 0o700, 0o755]), STRANGER)


def test_a_folder_that_may_be_entered_and_not_listed_is_no_place_for_files(open_folder: Path) -> None:
    assert not is_reachable(make_path(open_folder, [0o755, 0o711]), STRANGER)


def test_a_link_counts_as_where_it_leads(open_folder: Path) -> None:
    (open_folder / "link").symlink_to(make_path(open_folder, [0o700, 0o755]))
    assert not is_reachable(open_folder / "link", STRANGER)


def test_everything_is_reachable_for_oneself() -> None:
    assert is_reachable(Path("/nonexistent"), None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root needs another account")
def test_who_is_not_root_needs_no_other_account(tmp_path: Path) -> None:
    assert find_account(tmp_path / "data") is None
    assert place_data(tmp_path / "data", None) == (tmp_path / "data").resolve()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands data to another account")
def test_root_hands_a_new_folder_to_an_account_that_is_not_root(tmp_path: Path) -> None:
    account = find_account(tmp_path / "data")
    assert account is not None
    assert account.uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands data to another account")
def test_data_keeps_the_account_it_was_made_with(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", 65_534, 65_534)
    account = find_account(tmp_path / "data")
    assert account is not None
    assert account.uid == 65_534
