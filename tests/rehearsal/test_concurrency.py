"""Whose turn it is in a concurrency group."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

from tests.rehearsal.concurrency import Groups, Place
from tests.rehearsal.step import CANCEL


def place(folder: Path, name: str) -> Place:
    (folder / name).mkdir()
    return Place(folder / name)


def has_turn(groups: Groups, waiting: Place, *, cancels: bool = False) -> bool:
    with groups.turn(waiting, "Dev", cancels=cancels) as may_run:
        return may_run


def test_one_runs_one_waits_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    groups = Groups()
    first, *others = (place(tmp_path, name) for name in ("first", "second", "third"))
    with ThreadPoolExecutor() as pool:
        with groups.turn(first, "dev", cancels=False) as may_run:
            assert may_run
            asked = [pool.submit(has_turn, groups, each) for each in others]
            (replaced,) = wait(asked, return_when=FIRST_COMPLETED).done
            assert replaced.result() is False
            (other,) = set(asked) - {replaced}
            assert not other.done()
        assert other.result() is True
    assert not first.cancelled


def test_another_group_does_not_wait(tmp_path: Path) -> None:
    groups = Groups()
    with groups.turn(place(tmp_path, "first"), "prod", cancels=False):
        assert has_turn(groups, place(tmp_path, "second"))


def test_one_that_cancels_what_runs_comes_after_it_all_the_same(tmp_path: Path) -> None:
    class Told(Place):
        told = Event()

        def cancel(self) -> None:
            super().cancel()
            self.told.set()

    groups = Groups()
    running = Told(tmp_path)
    with ThreadPoolExecutor() as pool:
        with groups.turn(running, "dev", cancels=False):
            newer = pool.submit(has_turn, groups, place(tmp_path, "newer"), cancels=True)
            assert running.told.wait(60)
            assert (tmp_path / CANCEL).exists()
            assert not newer.done()
        assert newer.result() is True


def test_what_is_cancelled_while_it_waits_does_not_start(tmp_path: Path) -> None:
    groups = Groups()
    waiting = place(tmp_path, "waiting")
    with ThreadPoolExecutor() as pool, groups.turn(place(tmp_path, "first"), "dev", cancels=False):
        asked = pool.submit(has_turn, groups, waiting)
        waiting.cancel()
        groups.look_again()
        assert asked.result() is False
