"""Ask a deployed environment what this project takes for granted of AWS and could not see.

It cleans up behind it. Before, it says what that takes, and asks. What differs is told in one report, for whoever
maintains this.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from infra import assumptions, contract
from infra.assumptions.check import PRICES, Answer, Check
from infra.assumptions.place import Place
from infra.aws.target import Target
from infra.console import consent, markdown
from infra.console.progress import console, doing
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.callback import answering

Answers = dict[Check, Answer]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `contract` takes."""
    add_pull_request(parser)
    add_function(parser)
    parser.add_argument(
        "--only", metavar="NAME,...", type=lambda text: text.split(","), default=[], help="these checks alone"
    )
    consent.add_yes(parser)


def run(target: Target, arguments: Namespace) -> Report:
    """Ask. Exit code 1 when something differs, or something was left that could not be undone."""
    chosen = _chosen(arguments.only)
    _refuse_production(target)
    # Each statement is of AWS, so that one function answers for all.
    function = target.functions[0]
    if not arguments.yes:
        consent.check_terminal()
    promised = contract.load(function.folder, target.environment.project.root)
    place = Place(target, function, promised, answering)
    _check_at_rest(target, function.name)
    if not arguments.yes:
        consent.show("\n".join(_plan(place, chosen)))
        consent.ask(f"Ask this of {function.name} in account {target.environment.account}?")
    answers: Answers = {}
    left: list[str] = []
    try:
        for number, each in enumerate(chosen, start=1):
            with doing(f"{number} of {len(chosen)}, {each.name}"):
                answers[each] = _without_account(target, each.answer(place))
    finally:
        with doing("Cleaning up"):
            left += place.clean_up()
        console.print(*(f"left behind: {each}" for each in left), sep="\n", end="", markup=False, soft_wrap=True)
    return _report(target, answers, left, getattr(arguments, "report", None))


def _chosen(only: Sequence[str]) -> list[Check]:
    """Return the checks to ask.

    Raises:
        UsageError: there is none of a name.
    """
    known = assumptions.checks()
    if unknown := [name for name in only if name not in known]:
        raise UsageError(f"--only: there is no check {', '.join(unknown)}; docs/assumptions.md lists them")
    return [each for name, each in known.items() if not only or name in only]


def _refuse_production(target: Target) -> None:
    """Refuse an environment whose data is kept.

    Raises:
        UsageError: it is one.
    """
    name = target.environment.name
    if target.environment.protection.removal_policy == "retain":
        raise UsageError(
            f"environments/{name}.toml: protection.removal_policy = 'retain': the contract starts executions and "
            "publishes a version, and so is asked only of an environment where it is 'destroy'"
        )


def _check_at_rest(target: Target, name: str) -> None:
    """Refuse a function that is not deployed, or is being deployed: a version is published of what stands there.

    Raises:
        CommandError: it is one.
    """
    stack = target.stacks.get(name)
    if not stack.is_at_rest:
        raise CommandError(f"{name} is {stack.status}; ask once its deployment has ended well")


def _plan(place: Place, chosen: Sequence[Check]) -> Iterator[str]:
    needed = [price for experiment, price in PRICES.items() if any(each.experiment == experiment for each in chosen)]
    yield f"{len(chosen)} checks, of {place.function.name} in {place.target.environment.region}. All of them together:"
    for price in needed:
        cost = f"${price.dollars:g}" if price.dollars else "nothing"
        yield f"  {price.what}: about {price.minutes:g} minutes, {cost}"


def _without_account(target: Target, answer: Answer) -> Answer:
    account = target.environment.account
    return replace(
        answer, expected=answer.expected.replace(account, "ACCOUNT"), found=answer.found.replace(account, "ACCOUNT")
    )


def _report(target: Target, answers: Answers, left: list[str], file: Path | None) -> Report:
    counts = Counter(answer.outcome for answer in answers.values())
    told = [
        {"name": each.name, "statement": each.statement, "relied_on": each.relied_on, "source": each.source}
        | asdict(answer)
        for each, answer in answers.items()
    ]
    facts = {
        "environment": target.environment.name,
        "region": target.environment.region,
        "holds": counts["holds"],
        "differs": counts["differs"],
        "not_reached": counts["not reached"],
        "checks": told,
        "left_behind": left,
    }
    return Report(facts, list(_lines(answers, counts, left, file)), code=int(bool(counts["differs"] or left)))


def _lines(answers: Answers, counts: Counter[str], left: list[str], file: Path | None) -> Iterator[str]:
    for each, answer in answers.items():
        found = f": {markdown.line(answer.found)}" if answer.outcome != "differs" else ""
        yield f"{answer.outcome:11} {each.name}{found}"
        if answer.outcome == "differs":
            yield f"  we say     {each.statement}"
            yield f"  expected   {markdown.line(answer.expected)}"
            yield f"  found      {markdown.line(answer.found)}"
            yield f"  relied on  in {each.relied_on}"
    yield ""
    yield f"{counts['holds']} hold, {counts['differs']} differ, {counts['not reached']} were not reached"
    yield from (f"left behind: {each}" for each in left)
    if counts["differs"]:
        where = file or "what --report FILE writes"
        yield f"Send {where} to the repository that this one was forked from, as an issue. It names"
        yield "environment, region, functions and versions, and no account; look through what AWS answered before."
