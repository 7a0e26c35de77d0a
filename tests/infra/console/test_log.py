"""Lines of a function's log, for people: all of it shows, and none of it acts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.console.log import Line, shown

AT = datetime(2026, 1, 31, 12, 0, 7, tzinfo=UTC)


def told(*lines: Line, most: int = 40, root: Path = Path("/nowhere")) -> list[str]:
    return [*shown(lines, most, root)]


def test_a_line_has_its_time_level_message_and_fields() -> None:
    assert told(Line(AT, "INFO", "root", "Paid", {"amount": 7})) == ["| 12:00:07 INFO    Paid  amount=7"]
    assert told(Line(AT, "", "", "anything")) == ["| 12:00:07 printed anything"]


@pytest.mark.parametrize(
    "text", ["::error::x", "a\n::set-output name=a::b", "\r::stop-commands::x", "##[error]x", "\x1b[2Jx"]
)
def test_no_text_is_a_command_of_a_workflow_or_of_a_terminal(text: str) -> None:
    for line in told(Line(AT, "INFO", "root", text, {text: text}, [text])):
        assert line.startswith("| ")
        assert line.isprintable()
        assert "##[" not in line


def test_a_file_that_is_here_is_named_as_here_and_others_by_their_end(tmp_path: Path) -> None:
    here = tmp_path / "functions" / "billing" / "handler.py"
    here.parent.mkdir(parents=True)
    here.touch()
    trace = [
        "Traceback (most recent call last):",
        '  File "/var/task/billing/handler.py", line 7, in handler',
        "    pay()",
        '  File "/var/task/boto3/session.py", line 9, in client',
        "ValueError: boom",
    ]
    assert told(Line(AT, "ERROR", "root", "Execution failed", {}, trace), root=tmp_path) == [
        "| 12:00:07 ERROR   Execution failed",
        "|   Traceback (most recent call last):",
        '|     File "functions/billing/handler.py", line 7, in handler',
        "|       pay()",
        '|     File ".../boto3/session.py", line 9, in client',
        "|   ValueError: boom",
    ]


def test_the_last_lines_are_shown_and_it_is_said_how_many_came_before() -> None:
    lines = [Line(AT, "INFO", "root", str(number)) for number in range(5)]
    assert told(*lines, most=2) == ["| 3 lines before these", "| 12:00:07 INFO    3", "| 12:00:07 INFO    4"]


def test_how_botocore_found_its_credentials_is_left_out_but_for_warnings() -> None:
    chatty = [Line(AT, level, "botocore.credentials", level) for level in ("DEBUG", "INFO", "WARNING")]
    assert told(*chatty) == ["| 12:00:07 WARNING WARNING"]
