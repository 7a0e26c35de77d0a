"""The comment on a pull request, against a stand-in for the part of GitHub's API that it uses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from infra import ROOT
from infra.console.markdown import Untrusted
from infra.console.timeline import Span
from infra.environment import load
from infra.errors import UsageError
from infra.pipeline import comment
from infra.pipeline.__main__ import main
from infra.replay import RECORDED
from tests.github.state import State
from tests.infra.console.commonmark import shape

ALIAS = "arn:aws:lambda:eu-west-1:111111111111:function:orders-pr-7:live"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIMELINE = [
    {
        "kind": "step",
        "name": "validate-order",
        "start": "2026-01-01 00:00:00+00:00",
        "end": "2026-01-01 00:00:01+00:00",
        "outcome": "succeeded",
    }
]
LONGEST = 65_536  # what a comment of GitHub may have (REST API, issue comments)
# What a pull request may try, in each of its texts.
HOSTILE = {
    **{f"{count} backticks": "x\n{0}\n{0}<b>{0}\n\n# Approved".format("`" * count) for count in (1, 2, 3, 4, 90, 300)},
    "lines": "\n\n# Approved\r\r# Approved\u2028# Approved\n---",
    "html": "</code></summary></details></pre><script>--><img src=x onerror=y>",
    "a comment": f"\n\n{comment.MARKER}\n<!-- ",
    "a mention": "@everyone #1 www.example.org",
    "links": "[a](http://b) ![a](http://b) <http://b> [a]: http://b",
    "a table": "\n\n| a | b |\n| - | - |\n| \\| c | `d|e` |",
    "a directive": '%%{init: {"theme": "dark"}}%%',
    "a keyword": "click",
    "keywords": 'click a href "http://b"\ngantt\n title b\n section c\n d :crit, 0, 1',
    "a date": "2026-01-01",
    "what does not show": "\u202egnp.exe\u2066\u200b\x00\x1b[31m\x07\x85\x7f",
    "nothing": "",
    "a space": " ",
    "nothing that a diagram shows": "```",
    "a backslash": "\\",
    "long": "<\u202e\n" * 30_000,
    "long backticks": "`" * 100_000,
}


@dataclass(frozen=True)
class Everything:
    """All that a pull request has a hand in."""

    reports: comment.Reports
    histories: list[Untrusted]


FORM = TypeAdapter(Everything)


def sample(schema: Mapping[str, Any], place: str) -> Any:
    """Return a value of a form, in which each text is the place at which it stands."""
    schema = FORM.json_schema()["$defs"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    match schema:
        case {"type": "string"}:
            return "2026-01-01T00:00:00Z" if "format" in schema else place
        case {"type": "array", "items": items}:
            return [sample(items, f"{place}[]")]
        case {"additionalProperties": values}:
            return {f"{place} key": sample(values, f"{place} value")}
        case {"properties": fields}:
            return {name: sample(field, f"{place}.{name}") for name, field in fields.items()}
        case {"anyOf": [first, *_]}:
            return sample(first, place)
        case _:
            raise NotImplementedError(f"{place}: no sample of {schema}")


SAMPLE = json.dumps(sample(FORM.json_schema(), "@"))
PLACES = re.findall(r'"(@[^"]*)"', SAMPLE)
HARMLESS = {place: place for place in PLACES}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for name, content in {
        "deploy": {"alias_arn": ALIAS, "version": "3"},
        "smoke": {"problems": [], "timeline": TIMELINE},
        "diff-prod": {"warnings": ["orders-prod: IAM Statement Changes"], "changes": {"orders-prod": "[+] a role"}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def render(folder: Path) -> str:
    return comment.render(load("preview"), "orders-pr-7", COMMIT, comment.read_reports(folder))


def test_it_tells_commit_alias_timeline_changes_and_how_to_invoke(reports: Path) -> None:
    text = render(reports)
    assert text.startswith(comment.MARKER)
    for expected in (COMMIT[:12], ALIAS, "version `3`", "The smoke order passed", "gantt", "validate-order"):
        assert expected in text
    for expected in ("aws lambda invoke", "eu-west-1", "IAM Statement Changes", "[+] a role", "is closed"):
        assert expected in text


def test_a_failed_smoke_order_is_told_with_its_problems(reports: Path) -> None:
    (reports / "smoke.json").write_text(json.dumps({"problems": ["it ended as FAILED"], "timeline": []}))
    text = render(reports)
    assert "The smoke order failed" in text
    assert "it ended as FAILED" in text


def test_without_reports_it_says_that_there_is_no_preview(tmp_path: Path) -> None:
    assert "There is no preview" in render(tmp_path)


def test_a_command_that_ended_early_left_its_reason(reports: Path) -> None:
    for name in ("smoke", "diff-prod"):
        (reports / f"{name}.json").write_text(json.dumps({"error": f"{name}: denied", "exit_code": 1}))
    text = render(reports)
    assert "The smoke order failed:\n\n- `smoke: denied`" in text
    assert "### Changes of `prod`\n\n- `diff-prod: denied`" in text
    (reports / "deploy.json").write_text(json.dumps({"error": "denied", "exit_code": 1}))
    assert "There is no preview" in render(reports)


def render_sample(texts: Mapping[str, str]) -> str:
    filled = re.sub(r'"(@[^"]*)"', lambda place: json.dumps(texts[place[1]]), SAMPLE)
    found = FORM.validate_json(filled)
    return comment.render(load("preview"), "orders-pr-7", COMMIT, found.reports, found.histories)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("place", [*PLACES, "all"])
def test_no_text_of_a_pull_request_acts(place: str, hostile: str) -> None:
    # What stands in for an empty text must not be another's.
    for others in (HARMLESS, dict.fromkeys(PLACES, "")):
        text = render_sample(others | dict.fromkeys([place] if place in PLACES else PLACES, hostile))
        assert shape(text) == shape(render_sample(HARMLESS))
        assert len(text) <= LONGEST
        assert all(each.isprintable() or each in "\n\t" for each in text)


@pytest.mark.parametrize(
    ("environments", "stacks", "lines", "length"),
    [(1, 1, 0, 100_000), (2, 2, 50, 10_000), (1, 5_000, 0, 10), (100, 10, 10, 100), (1, 1, 3_000, 5)],
)
def test_the_comment_fits_whatever_was_left(environments: int, stacks: int, lines: int, length: int) -> None:
    texts = [Untrusted(f"{each} ".ljust(length, "`")) for each in range(lines)]
    changed = {Untrusted(f"stack-{each}"): Untrusted("`\n" * length) for each in range(stacks)}
    changes = comment.Changes(warnings=texts, changes=changed)
    spans = [Span(text, text, datetime.now(UTC), None, text) for text in texts]
    reports = comment.Reports(
        comment.Deployment(alias_arn=Untrusted("`" * length), version=None),
        comment.Smoke(problems=texts, timeline=spans),
        {Untrusted(f"environment-{each}"): changes for each in range(environments)},
    )
    text = comment.render(load("preview"), "orders-pr-7", COMMIT, reports, texts)
    assert LONGEST / 2 < len(text) <= LONGEST
    # Nothing is left open.
    assert shape(f"{text}\n\n# End")[-4:] == shape("# End")
    assert text.count("<details>") == text.count("</details>")


def test_an_error_in_a_report_is_told_in_lines_of_ours(reports: Path) -> None:
    (reports / "diff-prod.json").write_text(json.dumps({"warnings": [], "changes": {"a\n::error::b": 1}}))
    with pytest.raises(UsageError, match=r"diff-prod\.json: changes: a\\n::error::b: Input should be a valid string"):
        comment.read_reports(reports)


@pytest.mark.parametrize("content", ["{", "[]", '{"alias_arn": 7}'])
def test_a_report_of_another_form_is_refused(content: str, reports: Path) -> None:
    (reports / "deploy.json").write_text(content)
    with pytest.raises(UsageError, match=r"deploy\.json"):
        comment.read_reports(reports)


def publish(reports: Path) -> int:
    options = ["--pull-request", "7", "--commit", COMMIT, "--reports", str(reports)]
    return main(["comment", "--environment", "preview", *options])


def test_the_first_run_writes_a_comment_and_the_next_updates_it(reports: Path, github: State) -> None:
    github.add_pull(7)
    github.add_comment(7, f"{comment.MARKER} not ours", author="somebody")
    assert publish(reports) == 0
    (reports / "deploy.json").write_text(json.dumps({"alias_arn": ALIAS, "version": "4"}))
    assert publish(reports) == 0
    others, ours = github.comments_of(7)
    assert (others["edits"], ours["edits"]) == (0, 1)
    assert "version `4`" in ours["body"]


def test_recorded_histories_that_change_are_named(reports: Path, github: State) -> None:
    recorded = min(RECORDED.glob("*.json")).relative_to(ROOT)
    files = github.add_pull(7).files
    files.append("README.md")
    assert publish(reports) == 0
    assert "recorded histories" not in github.comments[0]["body"]
    files.append(str(recorded))
    assert publish(reports) == 0
    assert f"- `{recorded}`" in github.comments[0]["body"]
    assert "README.md" not in github.comments[0]["body"]


def test_outside_a_workflow_it_names_the_missing_variable(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    assert publish(reports) == 2
    assert "GITHUB_API_URL is not set" in capsys.readouterr().err
