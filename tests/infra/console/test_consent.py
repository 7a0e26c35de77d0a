"""Asking: what counts as a yes, and what becomes of a question that nobody answers."""

import subprocess
import sys

import pytest

from infra.console import consent
from infra.errors import CommandError, UsageError
from tests.infra.fakes.commands import typed


@pytest.mark.parametrize("answer", ["y", "Yes", " y "])
def test_a_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, answer)
    consent.check_terminal()
    consent.ask("Really?")
    assert capsys.readouterr().out == "Really? [y/N] "


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah"])
def test_anything_else_does_not(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, answer)
    with pytest.raises(CommandError, match="nothing was changed"):
        consent.ask("Really?")


def test_neither_does_the_end_of_what_is_typed() -> None:
    ask = "from infra.console import consent\ntry: consent.ask('?')\nexcept Exception as error: print(error)"
    done = subprocess.run([sys.executable, "-c", ask], input="", capture_output=True, text=True, check=True)
    assert done.stdout == "? [y/N] nothing was changed\n"


def test_without_a_terminal_it_says_how_to_agree() -> None:
    with pytest.raises(UsageError, match="make does not ask with YES=1, nor the command with --yes"):
        consent.check_terminal()
