from pathlib import Path

import pytest

from tests.adoption.fork import Fork


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    (folder := tmp_path / "a fork").mkdir()
    return Fork(folder)
