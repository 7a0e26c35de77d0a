"""When jobs of a pull request run, as GitHub's own evaluation of their conditions has it."""

from typing import Any

import pytest

from tests.workflows.reading import WORKFLOWS, evaluate, steps

JOBS = WORKFLOWS["pull-request.yml"]["jobs"]
OURS = "acme-inc/money"
GATE = JOBS["all-green"]
CHECKS = ("checks", "build")
PREVIEW = ("diff", "preview", "comment")


def _event(action: str, repository: str | None, login: str) -> dict[str, Any]:
    head = {"repo": {"full_name": repository} if repository else None}
    pull_request = {"number": 7, "head": head, "user": {"login": login}}
    return {"repository": OURS, "event": {"action": action, "pull_request": pull_request}}


MEMBER = _event("synchronize", OURS, "ada")
FORK = _event("opened", "somebody/money", "somebody")
DELETED_FORK = _event("reopened", None, "somebody")
DEPENDABOT = _event("opened", OURS, "dependabot[bot]")
CLOSED = _event("closed", OURS, "ada")
CLOSED_FORK = _event("closed", "somebody/money", "somebody")
CLOSED_DEPENDABOT = _event("closed", OURS, "dependabot[bot]")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(MEMBER, {*CHECKS, *PREVIEW}, id="a push of a member gets checks and a preview"),
        pytest.param(FORK, {*CHECKS}, id="a fork gets checks"),
        pytest.param(DELETED_FORK, {*CHECKS}, id="a fork that is gone gets checks"),
        pytest.param(DEPENDABOT, {*CHECKS}, id="Dependabot gets checks"),
        pytest.param(CLOSED, {"project", "remove"}, id="closing removes the preview"),
        pytest.param(CLOSED_FORK, set[str](), id="a fork that closes has none to remove"),
        pytest.param(CLOSED_DEPENDABOT, set[str](), id="nor has Dependabot"),
    ],
)
def test_jobs_run_for(event: dict[str, Any], expected: set[str]) -> None:
    names = [name for name in JOBS if name != "all-green"]
    runs = evaluate([JOBS[name]["if"] for name in names], {"github": event})
    assert {name for name, runs_ in zip(names, runs, strict=True) if runs_ is True} == expected


def test_the_comment_is_written_whatever_became_of_the_preview() -> None:
    assert JOBS["comment"]["needs"] == ["diff", "preview"]
    assert JOBS["comment"]["if"].startswith("!cancelled()")


def test_the_gate_waits_for_every_job_and_always_runs() -> None:
    assert set(GATE["needs"]) == set(JOBS) - {"all-green"}
    assert GATE["if"] == "always()"
    assert all(step["run"] == "exit 1" for step in steps(GATE))


def _is_green(event: dict[str, Any], results: dict[str, str]) -> bool:
    needs = {name: {"result": results.get(name, "skipped")} for name in JOBS if name != "all-green"}
    return not any(evaluate([step["if"] for step in steps(GATE)], {"github": event, "needs": needs}))


@pytest.mark.parametrize(
    ("event", "succeeded"),
    [
        pytest.param(MEMBER, (*CHECKS, *PREVIEW), id="member"),
        pytest.param(FORK, CHECKS, id="fork"),
        pytest.param(DELETED_FORK, CHECKS, id="fork that is gone"),
        pytest.param(DEPENDABOT, CHECKS, id="Dependabot"),
        pytest.param(CLOSED, ("project", "remove"), id="closed"),
    ],
)
def test_the_gate_is_green_when_all_that_should_run_succeeds_and_red_otherwise(
    event: dict[str, Any], succeeded: tuple[str, ...]
) -> None:
    green = dict.fromkeys(succeeded, "success")
    assert _is_green(event, green)
    for name in succeeded:
        for result in ("failure", "cancelled"):
            assert not _is_green(event, green | {name: result}), (name, result)
        if name not in ("project", "remove"):
            assert not _is_green(event, green | {name: "skipped"}), name


@pytest.mark.parametrize("event", [CLOSED_FORK, CLOSED_DEPENDABOT])
def test_the_gate_is_green_for_what_never_had_a_preview_to_remove(event: dict[str, Any]) -> None:
    assert _is_green(event, {})


def test_a_closed_pull_request_reports_under_another_name_than_the_required_one() -> None:
    # Nothing was checked, and the commit may be opened again.
    assert evaluate([GATE["name"]], {"github": MEMBER}) == ["all green"]
    assert evaluate([GATE["name"]], {"github": CLOSED}) != ["all green"]


def test_a_preview_asks_whether_its_pull_request_is_open_before_it_has_credentials() -> None:
    names = [step.get("name") for step in steps(WORKFLOWS["environment.yml"]["jobs"]["deploy"])]
    check = names.index("Refuse a pull request that was closed meanwhile")
    assert check < names.index("Assume the role that deploys") < names.index("Deploy what was built")
    condition = steps(WORKFLOWS["environment.yml"]["jobs"]["deploy"])[check]["if"]
    for pull_request, asks in ((7, True), (0, False), (None, False)):
        assert bool(evaluate([condition], {"inputs": {"pull_request": pull_request}})[0]) is asks
