"""Tell where an environment is not what its templates say, and where it does not run what was built from main."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.aws.assembly import Assembly
from infra.aws.drift import Drift, detect
from infra.aws.function import DeployedFunction
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console import markdown
from infra.console.report import Notice, Report
from infra.policies.drift import watched_stacks


@dataclass
class Findings:
    """What was found, in lines of one form each night, so that an issue on them changes only when they do.

    Args:
        drifted: resources that are not what their template says, and what of them.
        differing: where what runs is not what was built from main.
        unchecked: resources of which CloudFormation can't tell.
        notes: what is worth knowing and no fault.
    """

    drifted: list[str] = field(default_factory=list[str])
    differing: list[str] = field(default_factory=list[str])
    unchecked: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.drifted or self.differing)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `drift` takes."""
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")
    parser.add_argument("--issue", action="store_true", help="keep one issue on it, and close it when it is clean")


def run(target: Target, arguments: Namespace) -> Report:
    """Compare. Exit code 1 when something has drifted or differs."""
    assembly = Assembly.of(target, arguments.assembly)
    findings = Findings()
    # What a person deploys beside the environment's own stacks is watched as well: who may do what stands there.
    names = watched_stacks(target.environment)
    stacks = [stack for name in names if (stack := _detectable(target, name, findings))]
    for stack in stacks:
        if stack.name in assembly.stack_names:
            _compare_commit(stack, assembly, findings)
    for name, drift in detect(target, [stack.name for stack in stacks]).items():
        _tell(name, drift, findings)
    if target.has_functions:
        _compare_functions(target, assembly, findings)
    name = target.environment.name
    body = None if findings.is_clean else markdown.fit(lambda limit: _markdown(findings, limit))
    return Report(
        {"clean": findings.is_clean, **asdict(findings)},
        list(_lines(findings)),
        markdown.fit_summary(lambda limit: _markdown(findings, limit)),
        code=0 if findings.is_clean else 1,
        notice=Notice(f"drift {name}", f"{name} is not what main says", body) if arguments.issue else None,
    )


def _detectable(target: Target, name: str, findings: Findings) -> Stack | None:
    """Return a stack whose drift can be detected, or say why it is not looked at."""
    stack = target.stacks.find(name)
    if stack is None:
        findings.differing.append(f"{name} is not deployed")
    elif stack.is_changing:
        findings.notes.append(f"{name} is {stack.status}, so that it was not looked at")
    elif not stack.drift_can_be_detected:
        findings.differing.append(f"{name} is {stack.status}")
    else:
        return stack
    return None


def _compare_commit(stack: Stack, assembly: Assembly, findings: Findings) -> None:
    deployed, built = stack.commit or "unknown", assembly.commit(stack.name) or "unknown"
    if deployed != built:
        findings.notes.append(f"{stack.name} was deployed from commit {deployed}, and main is at {built}")


def _tell(name: str, drift: Drift, findings: Findings) -> None:
    if drift.unfinished:
        findings.differing.append(f"{name}: {drift.unfinished}")
    for resource in drift.resources:
        what = f"{name}: {resource.kind} {resource.logical_id}"
        if resource.status in ("MODIFIED", "DELETED"):
            changed = f": {'; '.join(resource.changes)}" if resource.changes else ""
            findings.drifted.append(f"{what} is {resource.status}{changed}")
        elif resource.status != "IN_SYNC":
            findings.unchecked.append(f"{what}: {resource.status or 'not supported by drift detection'}")


def _compare_functions(target: Target, assembly: Assembly, findings: Findings) -> None:
    """Compare the functions that there are with those of main, and the code of these with what main builds."""
    for function in target.functions:
        _compare_code(function, assembly, findings)
    findings.differing.extend(
        f"{function.name} is deployed, and main has no functions/{function.folder}: the next deployment removes it"
        for function in target.deployed_functions()
        if function.name not in assembly.stack_names
    )


def _compare_code(function: DeployedFunction, assembly: Assembly, findings: Findings) -> None:
    """Compare the code of the live version with the archive that was built."""
    version = function.live()
    if version is None:
        closed = "was drained and takes no new executions" if function.is_closed() else "has no live version"
        findings.differing.append(f"{function.name} {closed}")
    elif function.code_sha256(version) != assembly.code_sha256(function.name):
        findings.differing.append(f"{function.name}: the code of its live version {version} is not what main builds")


def _lines(findings: Findings) -> Iterator[str]:
    yield "Everything is as main says" if findings.is_clean else "Not everything is as main says:"
    for line in [*findings.drifted, *findings.differing]:
        yield f"  {line}"
    for line in findings.notes:
        yield f"note: {line}"
    if findings.unchecked:
        yield f"{_unchecked(findings.unchecked)}:"
        yield from (f"  {line}" for line in findings.unchecked)


def _markdown(findings: Findings, limit: int) -> str:
    parts = ["Everything is as main says." if findings.is_clean else "Not everything is as main says."]
    told = {"Drifted": findings.drifted, "Differing": findings.differing, "Notes": findings.notes}
    for title, lines in told.items():
        if lines:
            parts.append(f"**{title}**\n\n{markdown.items(lines, limit)}")
    if findings.unchecked:
        unchecked = markdown.items(findings.unchecked, limit)
        parts.append(markdown.folded(_unchecked(findings.unchecked), unchecked))
    return "\n\n".join(parts)


def _unchecked(lines: list[str]) -> str:
    return f"{len(lines)} {'resource' if len(lines) == 1 else 'resources'} could not be checked"
