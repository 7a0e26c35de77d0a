"""No preview for a pull request that is not open, or of which GitHub says nothing."""

import pytest

from infra.pipeline.__main__ import main
from tests.github.server import serve
from tests.github.state import State


@pytest.mark.parametrize(
    ("pulls", "code", "said"),
    [
        ({7: "open"}, 0, "is open"),
        ({7: "closed"}, 1, "is closed, so it gets no preview"),
        ({}, 1, "has no pull request 7"),
    ],
)
def test_only_an_open_pull_request_passes(
    pulls: dict[int, str], code: int, said: str, github: State, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, state in pulls.items():
        github.add_pull(number, state)
    assert main(["check-open", "--pull-request", "7"]) == code
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


@pytest.mark.usefixtures("github")
def test_when_github_is_out_of_reach_that_is_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(State()) as gone:
        pass
    monkeypatch.setenv("GITHUB_API_URL", gone.url)
    assert main(["check-open", "--pull-request", "7"]) == 1
    assert "could not be asked for pull request 7" in capsys.readouterr().err
