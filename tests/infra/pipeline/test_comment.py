"""The comment on a pull request, against a stand-in for the part of GitHub's API that it uses."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from infra.aws.target import Target
from infra.console.markdown import Untrusted
from infra.console.timeline import Span
from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline import comment
from infra.pipeline.__main__ import main, parser
from infra.replay import recorded
from tests.github.state import State
from tests.infra.console.commonmark import codes, shape
from tests.infra.fakes.environments import PREVIEW, PREVIEW_OF_TWO, TWO

ALIAS, OTHER = (f"arn:aws:lambda:eu-west-1:111111111111:function:acme-pr-7-{name}:live" for name in TWO)
STACK = "acme-prod-billing"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIMELINE = [
    {
        "kind": "step",
        "name": "check",
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
        case {"type": "integer"}:
            return 1
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
        "deploy": {"functions": {"billing": {"alias_arn": ALIAS, "version": "3"}}},
        "smoke": {"functions": {"billing": {"problems": [], "timeline": TIMELINE}}},
        "diff-prod": {"warnings": [f"{STACK}: IAM Statement Changes"], "changes": {STACK: "[+] a role"}},
    }.items():
        leave(tmp_path, name, content)
    return tmp_path


def leave(folder: Path, name: str, content: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content))


def render(folder: Path, on: Environment = PREVIEW) -> str:
    return comment.render(Target(on, 7), COMMIT, comment.read_reports(folder))


def test_it_tells_commit_alias_timeline_changes_and_how_to_invoke(reports: Path) -> None:
    text = render(reports)
    assert text.startswith(comment.MARKER)
    for expected in (COMMIT[:12], ALIAS, "version `3`", "The smoke execution passed.", "gantt", "check"):
        assert expected in text
    for expected in ("IAM Statement Changes", "[+] a role", "is closed, or after 14 days"):
        assert expected in text
    command = next(each for each in codes(text) if each.startswith("aws"))
    assert shlex.split(command.replace("\\\n", "")) == [
        *("aws", "lambda", "invoke", "--region", "eu-west-1", "--function-name", "acme-pr-7-billing:live"),
        *("--invocation-type", "Event", "--durable-execution-name", "my-execution"),
        *("--cli-binary-format", "raw-in-base64-out", "--payload", '{"billId": "my-execution"}', "/dev/stdout"),
    ]
    assert "infra.pipeline invoke" not in text


def test_it_tells_what_wakes_a_preview_that_sleeps_and_nothing_of_it_where_none_does(reports: Path) -> None:
    text = render(reports)
    assert "sleeps once nothing has happened on it for 2 hours" in text
    assert "python -m infra.pipeline wake --environment preview --pull-request 7\n" in codes(text)
    never = render(reports, PREVIEW.model_copy(update={"preview_idle_hours": 0}))
    assert "sleeps" not in never
    assert "wake" not in never


def two(reports: Path) -> None:
    """Let there be a second function, the smoke execution of which failed."""
    functions = {"billing": {"alias_arn": ALIAS, "version": "3"}, "refunds": {"alias_arn": OTHER, "version": "9"}}
    leave(reports, "deploy", {"functions": functions})
    billing, refunds = {"problems": [], "timeline": TIMELINE}, {"problems": ["it ended as FAILED"], "timeline": []}
    leave(reports, "smoke", {"functions": {"billing": billing, "refunds": refunds}})


def test_of_several_functions_it_tells_each(reports: Path) -> None:
    two(reports)
    text = render(reports, PREVIEW_OF_TWO)
    assert f"- `billing`: alias `{ALIAS}`, version `3`\n- `refunds`: alias `{OTHER}`, version `9`\n" in text
    assert "The smoke execution of `billing` passed.\n\n```mermaid" in text
    assert "The smoke execution of `refunds` failed:\n\n- `it ended as FAILED`\n\n" in text
    assert text.count("gantt") == 1
    (commands,) = (each for each in codes(text) if each.startswith("aws"))
    assert [f"acme-pr-7-{name}:live" in commands for name in TWO] == [True, True]
    assert '{"refundId": "my-execution"}' in commands
    assert "infra.pipeline invoke" not in commands


def test_a_function_that_main_does_not_have_is_sent_what_the_pull_request_says(reports: Path) -> None:
    two(reports)
    text = render(reports, PREVIEW)
    (commands,) = (each for each in codes(text) if each.startswith("aws"))
    assert "acme-pr-7-refunds" not in commands
    assert commands.endswith("\npython -m infra.pipeline invoke --pull-request 7\n")
    parsed = parser().parse_args(commands.splitlines()[-1].split()[3:])
    assert (parsed.command, parsed.pull_request, parsed.environment) == ("invoke", 7, None)


def test_a_failed_smoke_execution_is_told_with_its_problems(reports: Path) -> None:
    leave(reports, "smoke", {"functions": {"billing": {"problems": ["it ended as FAILED"], "timeline": []}}})
    text = render(reports)
    assert "The smoke execution failed:" in text
    assert "it ended as FAILED" in text


def test_a_preview_that_was_not_tried_says_so(reports: Path) -> None:
    (reports / "smoke.json").unlink()
    assert "No smoke execution was started." in render(reports)


def test_without_reports_it_says_that_there_is_no_preview(tmp_path: Path) -> None:
    assert "There is no preview" in render(tmp_path)


def test_a_command_that_ended_early_left_its_reason(reports: Path) -> None:
    for name in ("smoke", "diff-prod"):
        leave(reports, name, {"error": f"{name}: denied", "exit_code": 1})
    text = render(reports)
    assert "The smoke execution failed:\n\n- `smoke: denied`" in text
    assert "### Changes of `prod`\n\n- `diff-prod: denied`" in text
    leave(reports, "deploy", {"error": "denied", "exit_code": 1})
    assert "There is no preview" in render(reports)


def render_sample(texts: Mapping[str, str]) -> str:
    filled = re.sub(r'"(@[^"]*)"', lambda place: json.dumps(texts[place[1]]), SAMPLE)
    found = FORM.validate_json(filled)
    return comment.render(Target(PREVIEW_OF_TWO, 7), COMMIT, found.reports, found.histories)


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
    ("environments", "stacks", "functions", "lines", "length"),
    [
        (1, 1, 1, 0, 100_000),
        (2, 2, 2, 50, 10_000),
        (1, 5_000, 1, 0, 10),
        (1, 1, 5_000, 0, 10),
        (100, 10, 10, 10, 100),
        (1, 1, 1, 3_000, 5),
    ],
)
def test_the_comment_fits_whatever_was_left(
    environments: int, stacks: int, functions: int, lines: int, length: int
) -> None:
    texts = [Untrusted(f"{each} ".ljust(length, "`")) for each in range(lines)]
    changed = {Untrusted(f"stack-{each}"): Untrusted("`\n" * length) for each in range(stacks)}
    changes = comment.Changes(warnings=texts, changes=changed)
    spans = [Span(text, text, datetime.now(UTC), None, text) for text in texts]
    deployed = comment.DeployedTo(alias_arn=Untrusted("`" * length), version=Untrusted("1"))
    names = [Untrusted(f"function-{each}") for each in range(functions)]
    reports = comment.Reports(
        comment.Deployment(functions=dict.fromkeys(names, deployed)),
        comment.Smoke(functions=dict.fromkeys(names, comment.Trial(problems=texts, timeline=spans))),
        {Untrusted(f"environment-{each}"): changes for each in range(environments)},
    )
    text = comment.render(Target(PREVIEW, 7), COMMIT, reports, texts)
    assert LONGEST / 2 < len(text) <= LONGEST
    # Nothing is left open.
    assert shape(f"{text}\n\n# End")[-4:] == shape("# End")
    assert text.count("<details>") == text.count("</details>")


def test_an_error_in_a_report_is_told_in_lines_of_ours(reports: Path) -> None:
    (reports / "diff-prod.json").write_text(json.dumps({"warnings": [], "changes": {"a\n::error::b": 1}}))
    with pytest.raises(UsageError, match=r"diff-prod\.json: changes: a\\n::error::b: Input should be a valid string"):
        comment.read_reports(reports)


@pytest.mark.parametrize("content", ["{", "[]", '{"functions": 7}', '{"functions": {"billing": {"version": "1"}}}'])
def test_a_report_of_another_form_is_refused(content: str, reports: Path) -> None:
    (reports / "deploy.json").write_text(content)
    with pytest.raises(UsageError, match=r"deploy\.json"):
        comment.read_reports(reports)


def publish(reports: Path) -> int:
    options = ["--pull-request", "7", "--commit", COMMIT, "--reports", str(reports)]
    return main(["comment", *options])


def test_the_first_run_writes_a_comment_and_the_next_updates_it(reports: Path, github: State) -> None:
    github.add_pull(7)
    github.add_comment(7, f"{comment.MARKER} not ours", author="somebody")
    assert publish(reports) == 0
    leave(reports, "deploy", {"functions": {"billing": {"alias_arn": ALIAS, "version": "4"}}})
    assert publish(reports) == 0
    others, ours = github.comments_of(7)
    assert (others["edits"], ours["edits"]) == (0, 1)
    assert "version `4`" in ours["body"]


def test_recorded_histories_that_change_are_named_whatever_function_they_are_of(reports: Path, github: State) -> None:
    files = github.add_pull(7).files
    files += ["README.md", "recorded/one.json", "tests/functions/recorded/one.json", "a/tests/functions/b/recorded/one"]
    assert publish(reports) == 0
    assert "recorded histories" not in github.comments[0]["body"]
    histories = [str(recorded(name, Path()) / "one.json") for name in TWO]
    files += histories
    assert publish(reports) == 0
    body = github.comments[0]["body"]
    assert "\n".join(f"- `{each}`" for each in histories) in body
    assert "README.md" not in body
    assert body.count("one.json") == len(histories)


def test_outside_a_workflow_it_names_the_missing_variable(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    assert publish(reports) == 2
    assert "GITHUB_API_URL is not set" in capsys.readouterr().err
