"""The kernels' cache: another folder for each state of their sources, the only one of its kind."""

from pathlib import Path

import numba

from loader.formats.text import kernels
from shared.domain import position
from shared.index import scan_kernels as block_loops
from shared.kernels.compiler import list_sources, prepare_cache, use_cache


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
