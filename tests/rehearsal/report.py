"""What a rehearsal showed, as one page that needs nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from tests.github.state import State
from tests.rehearsal.act import Job
from tests.rehearsal.run import Run

TEMPLATE = Path(__file__).with_name("report.html")
LOG_LINES_SHOWN = 40
STEPS_SHOWN = 10

UNMODELLED = [
    "Everything that the local AWS does not show; docs/local-limits.md lists it.",
    "A step that always runs: it is interrupted as well when its run is cancelled while it runs.",
    "The outcome of a step that was cancelled, and the result of a job that was, for what comes after: failure.",
    "The order in which jobs that wait for a concurrency group come to it, and the five minutes of a cancellation.",
    "Approvals: nothing waits for one. Of an environment's rules only those on branches are applied.",
    "Time limits of jobs, retention of artifacts, and delays of schedules.",
    "The runner: jobs run on this machine with what is installed in the checkout, which set-up does not install again.",
    "What the job `checks` runs: CI runs that by itself, this rehearsal included.",
    "The third-party actions, for which stand-ins do the work; and the signature of tokens.",
    "github.workflow in a called workflow, which is the caller's name on GitHub.",
]


@dataclass
class Played:
    """A scenario that was played: what it is about, how long it took, and what went wrong, if anything did."""

    name: str
    story: str
    seconds: float = 0
    problem: str | None = None
    runs: list[Run] = field(default_factory=list[Run])


def write(path: Path, played: Sequence[Played], state: State, seconds: float) -> None:
    """Write the page."""
    failed = [each.name for each in played if each.problem]
    told = f"Failed: {', '.join(failed)}" if failed else f"All {len(played)} scenarios went as they should"
    runs = [run for each in played for run in each.runs]
    parts = {
        "outcome": "failed" if failed else "passed",
        "verdict": escape(f"{told}, in {seconds:.0f} s."),
        "scenarios": "\n".join(map(_scenario, played)),
        "refusals": "".join(_refusals(run, job) for run in runs for job in run.jobs.values() if job.refusals),
        "comments": "\n".join(_comments(state)),
        "times": _times(runs),
        "unmodelled": "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in UNMODELLED) + "</ul>",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(Template(TEMPLATE.read_text()).substitute(parts))


def slowest(runs: Iterable[Run]) -> list[tuple[str, float, int]]:
    """Return the steps that took longest: their names, the seconds of all of them together, and how many there were."""
    seconds: dict[str, list[float]] = {}
    for run in runs:
        for job in run.jobs.values():
            for step in job.steps.values():
                seconds.setdefault(step.name, []).append(step.seconds)
    found = [(name, sum(each), len(each)) for name, each in seconds.items()]
    return sorted(found, key=lambda each: each[1], reverse=True)[:STEPS_SHOWN]


def _scenario(played: Played) -> str:
    mark = f'<span class="failed">{escape(played.problem)}</span>' if played.problem else ""
    head = f"<h2>{escape(played.name)}</h2><p>{escape(played.story)} {played.seconds:.0f} s. {mark}</p>"
    return head + "".join(map(_run, played.runs))


def _run(run: Run) -> str:
    jobs = sorted(run.jobs.values(), key=lambda job: job.started)
    rows = [_row(run, job) for job in jobs if job.result != "skipped" and job.started >= run.started]
    rest = ""
    for told, others in {
        "skipped": [job.name for job in jobs if job.result == "skipped"],
        "as they were": [job.name for job in jobs if job.started < run.started],
    }.items():
        rest += f'<p class="skipped">{told}: {escape(", ".join(others))}</p>' if others else ""
    return f"<h3>{escape(run.title)}</h3>{''.join(rows)}{rest}{''.join(map(_failure, jobs))}"


def _row(run: Run, job: Job) -> str:
    whole = run.ended - run.started or 1
    left, width = 100 * (job.started - run.started) / whole, 100 * (job.ended - job.started) / whole
    bar = f'<span class="bar" style="left: {left:.1f}%; width: {width:.1f}%"></span>'
    seconds = f"<span>{job.ended - job.started:.1f} s</span>"
    name = f"<span>{escape(job.title or job.name)}</span>"
    return f'<div class="row {job.result}">{name}<span class="track">{bar}</span>{seconds}</div>'


def _failure(job: Job) -> str:
    name = escape(job.title or job.name)
    steps = [step for step in job.steps.values() if step.result == "failure" and step.lines]
    logs = ("".join(step.lines[-LOG_LINES_SHOWN:]) for step in steps)
    return "".join(
        f"<details><summary>{name}: {escape(step.name)}</summary><pre>{escape(log)}</pre></details>"
        for step, log in zip(steps, logs, strict=True)
    )


def _refusals(run: Run, job: Job) -> str:
    title = escape(f"{run.title}, {job.name}: {len(job.refusals)}")
    told = "".join(f"<li>{escape(each)}</li>" for each in job.refusals)
    return f"<details><summary>{title}</summary><ul>{told}</ul></details>"


def _comments(state: State) -> Iterable[str]:
    # As on GitHub, HTML in Markdown is HTML; the page's policy lets no script of it run.
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    for comment in state.comments:
        number = comment["issue"]
        about = state.pulls[number].title if number in state.pulls else state.issues[number]["title"]
        by = f"{comment['user']['login']} on {number}, {about}; edits: {comment['edits']}"
        yield f'<div class="comment"><p class="by">{escape(by)}</p>{markdown.render(comment["body"])}</div>'


def _times(runs: Iterable[Run]) -> str:
    return _table((name, f"{total:.0f} s", f"{count} times") for name, total, count in slowest(runs))


def _table(rows: Iterable[Iterable[str]]) -> str:
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
