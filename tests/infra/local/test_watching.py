"""Changes of files: each ends a wait once, whatever became of the file."""

from pathlib import Path

import pytest

from infra.local.watching import Changed, Watch


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "changed").write_text("before")
    return Watch(lambda: [*tmp_path.iterdir(), tmp_path / "named"])


def changed(watch: Watch) -> set[str]:
    with pytest.raises(Changed) as change:
        watch.sleep(60)
    return {path.name for path in change.value.paths}


def test_a_wait_without_a_change_is_a_wait(watch: Watch) -> None:
    watch.sleep(0)


@pytest.mark.parametrize("name", ["changed", "added", "named"])
def test_what_is_written_ends_a_wait_once(name: str, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / name).write_text("afterwards")
    assert changed(watch) == {name}
    watch.sleep(0)


def test_what_is_removed_ends_it_too_and_all_changes_are_told_together(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "changed").unlink()
    (tmp_path / "added").write_text("new")
    assert changed(watch) == {"changed", "added"}


def test_a_file_that_is_replaced_by_another_has_changed(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("of another size")
    (tmp_path / "new").rename(tmp_path / "changed")
    assert changed(watch) == {"changed"}
