"""The whole pipeline on one machine: the real workflows, on a GitHub and an AWS that are local.

Exit codes: 0 all happened as it should; 1 something else happened; 2 the input is wrong; 130 interrupted.
"""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from infra import ROOT
from infra.console.progress import console
from infra.local.aws import LocalAwsError
from tests.rehearsal import report, stage
from tests.rehearsal.report import Played
from tests.rehearsal.scenarios import SCENARIOS, Scenario, chosen
from tests.rehearsal.stage import Stage, UnexpectedError

REPORT = ROOT / "build" / "rehearsal" / "report.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the scenarios, and return the exit code."""
    parser = ArgumentParser("python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, help="play this one, and what must be played before it")
    parser.add_argument("--keep", action="store_true", help="leave the local AWS up afterwards, until Ctrl-C")
    parser.add_argument(
        "--actions",
        type=Path,
        metavar="FOLDER",
        help="checkouts of actions, by their names, to run in place of what stands in for them",
    )
    parsed = parser.parse_args(arguments)
    if parsed.actions and not parsed.actions.is_dir():
        parser.error(f"--actions {parsed.actions} is not a folder")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        with stage.start(actions=parsed.actions) as set_stage:
            played = play(set_stage, parsed.scenario)
            seconds = time.monotonic() - started
            report.write(REPORT, played, set_stage.github.state, seconds)
            tell(played, seconds)
            if parsed.keep:
                console.print(f"The local AWS is at {set_stage.aws.endpoint} until Ctrl-C", soft_wrap=True)
                Event().wait()
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if any(each.problem for each in played) else 0


def play(set_stage: Stage, name: str | None) -> list[Played]:
    """Play scenarios until one goes another way than it should."""
    played: list[Played] = []
    for scenario, each in chosen(name).items():
        played.append(play_one(set_stage, scenario, each))
        if played[-1].problem:
            break
    return played


def play_one(set_stage: Stage, name: str, scenario: Scenario) -> Played:
    """Play one."""
    story = " ".join((scenario.play.__doc__ or "").split())
    console.print(f"\n[bold]{name}[/]: {story}", soft_wrap=True)
    played = Played(name, story)
    started, before = time.monotonic(), len(set_stage.github.runs)
    try:
        scenario.play(set_stage)
    except UnexpectedError as error:
        played.problem = str(error)
    played.seconds, played.runs = time.monotonic() - started, set_stage.github.runs[before:]
    return played


def tell(played: Sequence[Played], seconds: float) -> None:
    """Say how it went, and where the time did."""
    console.print("\nWhere the time of the jobs went:")
    for name, total, count in report.slowest(run for each in played for run in each.runs):
        console.print(f"  {total:6.1f} s  {name}, {count} times", soft_wrap=True, markup=False)
    refused = sum(len(job.refusals) for each in played for run in each.runs for job in run.jobs.values())
    console.print(f"\n{len(played)} scenarios in {seconds:.0f} s; {refused} attempts were refused")
    for each in played:
        verdict = each.problem or "as it should"
        console.print(f"  {each.seconds:6.1f} s  {each.name}: {verdict}", soft_wrap=True, markup=False)
    console.print(f"The report is {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
