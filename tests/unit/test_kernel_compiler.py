"""The kernels' cache: another folder for each state of their sources, the only one of its kind."""

from pathlib import Path

import numba

from loader.formats.text import kernels
from shared.domain import position
from shared.index import scan_kernels as block_loops
from shared.kernels.compiler import can_run, link_cache, list_sources, prepare_cache, use_cache


def test_all_that_is_compiled_into_kernels_is_a_source() -> None:
    assert {Path(str(module.__file__)) for module in (block_loops, kernels, position)} <= set(list_sources())


def test_a_change_of_any_source_leads_to_another_folder(tmp_path: Path) -> None:
    sources = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in sources:
        path.write_text("one")
    first = prepare_cache(tmp_path, sources)
    first.mkdir()
    assert prepare_cache(tmp_path, sources) == first
    assert first.exists()
    sources[1].write_text("two")
    assert prepare_cache(tmp_path, sources) != first
    assert not first.exists()


def test_numba_keeps_kernels_there() -> None:
    assert Path(numba.config.CACHE_DIR) == use_cache()  # type: ignore[attr-defined]
    found = block_loops.count_times._cache._cache_path  # type: ignore[attr-defined]
    assert Path(found).is_relative_to(use_cache())


def test_a_cache_that_may_not_be_written_is_linked_once(tmp_path: Path) -> None:
    cache = tmp_path / "kernels-1"
    (cache / "part").mkdir(parents=True)
    (cache / "part" / "kernel.nbi").write_text("compiled")
    linked = link_cache(cache, tmp_path / "home")
    assert (linked / "part" / "kernel.nbi").resolve() == cache / "part" / "kernel.nbi"
    (linked / "part" / "another.nbi").write_text("compiled later")
    assert link_cache(cache, tmp_path / "home") == linked
    assert sorted(path.name for path in (linked / "part").iterdir()) == ["another.nbi", "kernel.nbi"]
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["kernels-1"]
    assert not (cache / "part" / "another.nbi").exists()


def test_kernels_for_newer_processors_are_not_run_on_older_ones() -> None:
    newer = dict.fromkeys(("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"), True)
    assert can_run("x86-64-v3", newer)
    assert not can_run("x86-64-v3", newer | {"avx2": False})
    assert not can_run("x86-64-v3", {})
    assert can_run(None, {})
    assert can_run("generic", {})
