"""Changes of files as editors, deployments and Kubernetes make them; told once they have settled."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.server.watching import Settling, Signature, look, watch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "roles.yaml").write_text("roles: {}")
    return folder


def rename_and_replace(folder: Path) -> None:
    aside = folder / ".roles.yaml.swp"
    aside.write_text("roles: {}")  # not even another size
    aside.replace(folder / "roles.yaml")


def vanish(folder: Path) -> None:
    (folder / "roles.yaml").unlink()
    folder.rmdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "written over": lambda folder: (folder / "roles.yaml").write_text("roles: {a: {}}"),
    "renamed and replaced": rename_and_replace,
    "a file appears": lambda folder: (folder / "more.yaml").write_text("users: {}"),
    "a file vanishes": lambda folder: (folder / "roles.yaml").unlink(),
    "the folder vanishes": vanish,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_way_to_change_a_folder_is_seen(
    folder: Path, change: Callable[[Path], object]
) -> None:
    before = look([], folder)
    assert look([], folder) == before
    change(folder)
    assert look([], folder) != before


def test_a_catalogue_that_changes_or_is_not_there_is_seen(folder: Path) -> None:
    catalogue = folder.parent / "shop.yaml"
    missing = look([catalogue], folder)
    catalogue.write_text("catalogue: shop")
    there = look([catalogue], folder)
    assert there != missing
    catalogue.unlink()
    assert look([catalogue], folder) == missing


def test_a_config_map_that_turns_its_link_is_seen(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    for version in ("..v1", "..v2"):
        (mounted / version).mkdir()
        (mounted / version / "roles.yaml").write_text("roles: {}")
    (mounted / "..data").symlink_to("..v1")
    (mounted / "roles.yaml").symlink_to("..data/roles.yaml")
    before = look([], mounted)
    (mounted / "..data_tmp").symlink_to("..v2")
    (mounted / "..data_tmp").replace(mounted / "..data")
    assert look([], mounted) != before


def test_a_change_is_told_once_and_only_when_it_rests() -> None:
    settling = Settling()
    a, b, c = (((name,),) for name in "abc")
    assert [settling.saw(each) for each in (a, a, a, b, c, c, c, b, c, c)] == [
        False, True, False, False, False, True, False, False, False, False,
    ]  # fmt: skip


async def test_the_watch_tells_what_changed_before_it_looked_and_what_changes_later() -> None:
    looks: Iterator[Signature] = iter([(("a",),), (("a",),), (("b",),), (("b",),)])
    told: list[str] = []
    ended = asyncio.Event()

    def next_look() -> Signature:
        try:
            return next(looks)
        except StopIteration:
            ended.set()
            return (("b",),)

    async def changed() -> None:
        told.append("changed")

    async def rest() -> None:
        if ended.is_set():
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await watch(next_look, changed, rest=rest)
    assert told == ["changed", "changed"]


def test_a_folder_that_may_not_be_read_is_something_to_see_and_no_error(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    before = look([], folder)
    folder.chmod(0)
    assert look([], folder) != before
    folder.chmod(0o700)
