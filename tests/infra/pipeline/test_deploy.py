"""What a deployment refuses, what it tells before it begins, and what is live once it has ended."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import deploy
from tests.infra.fakes import assemblies
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, PREVIEW, PROD, environment

NAME, PLATFORM = naming.orders_stack("dev"), naming.platform_stack("dev")


class Cli:
    """Stands in for the CDK CLI and CloudFormation: it brings one version, and the second time changes nothing."""

    def __init__(self, aws: FakeAws, version: str, outputs: Path) -> None:
        self.aws, self.version, self.outputs = aws, version, outputs
        self.called: list[tuple[list[str], Any]] = []
        self.told = ""  # to the workflow's step before it began
        self.failure: BaseException | None = None

    def __call__(self, arguments: Sequence[str], *, session: Any, **_: Any) -> str:
        self.called.append((list(arguments), session))
        self.told = self.outputs.read_text()
        if self.failure:
            raise self.failure
        formation, functions = self.aws.formation, self.aws.lambda_
        function = functions.functions.get(NAME) or functions.function(NAME)
        formation.stack(PLATFORM, naming.tags("dev"))
        if self.version not in function.versions:
            function.versions[self.version] = {"least": 3, "most": 4}
            function.aliases["live"] = {"FunctionVersion": self.version}
        outputs = {"Version": self.version, "AliasArn": f"{functions.arn_of(NAME)}:live"}
        formation.stack(NAME, naming.tags("dev"), outputs=outputs)
        return ""


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 1 is live."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1")
    return aws


@pytest.fixture
def cli(aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    cli = Cli(aws, "2", tmp_path / "outputs")
    monkeypatch.setenv("GITHUB_OUTPUT", str(cli.outputs))
    monkeypatch.setattr(deploy, "cdk", cli)
    return cli


def deployed(aws: FakeAws, folder: Path, *options: str, on: Target | None = None) -> Report:
    on = on or target(aws, DEV)
    path = folder if (folder / "manifest.json").exists() else assemblies.write(folder, on)
    return run(deploy, on, "--assembly", str(path), *options)


def live(aws: FakeAws) -> str:
    return aws.lambda_.functions[NAME].aliases["live"]["FunctionVersion"]


def test_what_was_built_is_deployed_and_live(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    on = target(aws, DEV)
    folder = assemblies.write(tmp_path, on)
    report = deployed(aws, folder, "--digest", Assembly(folder).digest(), on=on)
    assert cli.called == [(["deploy", "--app", str(folder), "--all", "--require-approval", "never"], on.session)]
    arn = f"{aws.lambda_.arn_of(NAME)}:live"
    stacks: dict[str, dict[str, str]] = {PLATFORM: {}, NAME: {"Version": "2", "AliasArn": arn}}
    assert report.facts == {"stacks": stacks, "alias_arn": arn, "version": "2", "previous_version": "1"}
    assert list(report.lines) == [f"{NAME}: Version 2", f"{NAME}: AliasArn {arn}"]
    assert live(aws) == "2"


@pytest.mark.parametrize("failure", [None, CommandError("failed"), KeyboardInterrupt()], ids=repr)
def test_the_version_to_go_back_to_is_told_before_anything_is_deployed(
    failure: BaseException | None, aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    cli.failure = failure
    if failure is None:
        deployed(aws, tmp_path)
    else:
        with pytest.raises(type(failure)):
            deployed(aws, tmp_path)
    assert cli.told == cli.outputs.read_text() == "previous_version=1\n"


def test_before_a_first_deployment_there_is_none(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    aws.lambda_.forget(NAME)
    assert deployed(aws, tmp_path).facts["previous_version"] is None
    assert cli.told == "previous_version=\n"
    assert live(aws) == "2"


MOVED = environment(region="eu-central-1", network={"zones": ["eu-central-1a"]})


@pytest.mark.parametrize(
    ("on", "of"),
    [
        ((PREVIEW, 7), (DEV, None)),
        ((PREVIEW, 7), (PREVIEW, 8)),
        ((PREVIEW, None), (PREVIEW, 7)),
        ((DEV, None), (PROD, None)),
        ((DEV, None), (MOVED, None)),
        ((DEV, None), (environment(account="222222222222"), None)),
    ],
    ids=["a preview with dev's", "another preview's", "a platform with a preview's", "prod's", "region", "account"],
)
def test_the_assembly_of_another_target_is_refused_before_anything_is_asked_of_aws(
    on: tuple[Environment, int | None], of: tuple[Environment, int | None], aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    folder = assemblies.write(tmp_path, target(aws, *of))
    with pytest.raises(UsageError, match=r"holds .*, and not|is built for .*, and not"):
        deployed(aws, folder, on=target(aws, *on))
    assert (aws.calls, cli.called) == ([], [])


def test_anything_else_than_what_was_built_is_refused_before_anything_is_asked_of_aws(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    folder = assemblies.write(tmp_path, target(aws, DEV))
    built = Assembly(folder).digest()
    (folder / "asset.built.zip").write_bytes(b"something else")
    with pytest.raises(UsageError, match=f"{Assembly(folder).digest()}, and {built} was built"):
        deployed(aws, folder, "--digest", built)
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        run(deploy, target(aws, DEV), "--assembly", str(tmp_path))
    assert (aws.calls, cli.called) == ([], [])


def test_a_closed_function_is_refused(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    target(aws, DEV).function.close()
    with pytest.raises(CommandError, match="drain --open"):
        deployed(aws, tmp_path)
    assert not cli.called


@pytest.mark.usefixtures("cli")
def test_a_version_that_was_taken_back_is_live_again_although_nothing_changed(aws: FakeAws, tmp_path: Path) -> None:
    deployed(aws, tmp_path)
    function = aws.lambda_.functions[NAME]
    function.aliases["live"] = {"FunctionVersion": "1"}
    function.versions["2"] = {"least": 1, "most": 4}  # as pruning leaves it
    report = deployed(aws, next(tmp_path.glob("assembly-*")))
    assert (report.facts["version"], report.facts["previous_version"], live(aws)) == ("2", "1", "2")
    assert function.versions["2"] == {"least": 3, "most": 4}


@pytest.mark.usefixtures("cli")
def test_a_deployment_after_which_another_version_is_live_fails(aws: FakeAws, tmp_path: Path) -> None:
    deployed(aws, tmp_path)
    function = aws.lambda_.functions[NAME]
    function.aliases["live"] = {"FunctionVersion": "1"}

    def somebody_takes_it_back() -> None:
        aws.on("GetAlias", lambda: function.aliases["live"].update(FunctionVersion="1"))

    aws.on("UpdateAlias", somebody_takes_it_back)
    with pytest.raises(CommandError, match="version 2 was deployed, and 1 is live"):
        deployed(aws, next(tmp_path.glob("assembly-*")))


def test_the_platform_below_previews_has_no_version(
    aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = naming.platform_stack("preview")

    def cdk(*_: Any, **__: Any) -> str:
        return str(aws.formation.stack(name, {}, outputs={"CapacityProviderArn": "arn"}))

    monkeypatch.setattr(deploy, "cdk", cdk)
    facts = deployed(aws, tmp_path, on=target(aws, PREVIEW)).facts
    assert facts["stacks"] == {name: {"CapacityProviderArn": "arn"}}
    assert facts["version"] is facts["previous_version"] is facts["alias_arn"] is None
