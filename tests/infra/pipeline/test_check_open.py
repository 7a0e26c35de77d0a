"""No preview for a pull request that is not open, or of which GitHub says nothing."""

import pytest

from infra.pipeline.__main__ import main
from tests.infra.pipeline.fake_github import fake_github


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [("open", 0, "is open"), ("closed", 1, "is closed, so it gets no preview"), ("", 1, "could not be asked")],
)
def test_only_an_open_pull_request_passes(
    state: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_github(monkeypatch, [], state):
        assert main(["check-open", "--environment", "preview", "--pull-request", "7"]) == code
    captured = capsys.readouterr()
    assert said in captured.out + captured.err
