import json
import os
import shutil
import subprocess
import sys
from filecmp import cmp
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra import ROOT, app, bundle
from infra.app import ContextError, build
from infra.bundle import BundleError
from infra.environment import load, names
from infra.errors import UsageError
from infra.toml import FileError
from tests.infra.synthesis import COMMIT, Resource, Synthesize, make_app, synthesized
from tests.network import Network

UNTAGGABLE = {
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::Policy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
    "Custom::VpcRestrictDefaultSG",
}

SYNTHESES = [(name, None) for name in names()] + [("preview", "123")]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "context environment: missing; say -c environment=NAME, of dev, local, preview, prod"),
        ({"environment": ""}, "context environment: missing; say -c environment=NAME, of dev, local, preview, prod"),
        (
            {"environment": "dev", "pull_request": "123"},
            "context pull_request = 123: dev hosts no previews (preview_days in environments/dev.toml)",
        ),
        (
            {"environment": "prod", "pull_request": "123"},
            "context pull_request = 123: prod hosts no previews (preview_days in environments/prod.toml)",
        ),
        *(
            (
                {"environment": "preview", "pull_request": number},
                f"context pull_request = {number!r}: must be the number of a pull request",
            )
            for number in ("", "0", "-1", "1.5", "012", "main", "12 ", "\u0661")
        ),
        *(
            (
                {"environment": "preview", "commit": commit},
                f"context commit = {commit!r}: must be a full commit id, of 40 hexadecimal digits",
            )
            for commit in ("", "HEAD", COMMIT[:7], COMMIT.upper(), f"{COMMIT}0")
        ),
    ],
    ids=str,
)
def test_wrong_context_is_refused_with_the_key_and_what_it_must_be(
    tmp_path: Path, context: dict[str, str], message: str
) -> None:
    with pytest.raises(ContextError) as caught:
        build(make_app(tmp_path, **context))
    assert str(caught.value) == message


def test_an_unknown_environment_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="'staging': there is no such file; there are dev, local, preview"):
        build(make_app(tmp_path, environment="staging"))


def test_a_bundle_that_is_not_installed_is_refused_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "INSTALLED", tmp_path)
    with pytest.raises(BundleError, match="`make bundle` installs them"):
        build(make_app(tmp_path, environment="dev"))


@pytest.mark.parametrize(("environment", "pull_request"), [("dev", None), ("preview", "123")])
def test_the_function_gets_the_bundle_of_its_architecture_and_runtime(
    tmp_path: Path, environment: str, pull_request: str | None
) -> None:
    def bundled(architecture: str, runtime: str) -> Path:
        (archive := tmp_path / "orders.zip").write_text(f"{architecture} {runtime}")
        return archive

    cdk_app = make_app(tmp_path / "assembly", environment=environment, pull_request=pull_request, commit=COMMIT)
    build(cdk_app, bundled)
    [asset] = Path(cdk_app.synth().directory).glob("asset.*.zip")
    settings = load(environment)
    assert asset.read_text() == f"{settings.capacity_provider.architecture} {settings.function.runtime}"


@pytest.mark.parametrize("error", [BundleError, UsageError])
def test_what_is_refused_ends_with_exit_code_2_and_the_message_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[Exception]
) -> None:
    def refuse(_: cdk.App) -> None:
        raise error("what is wrong")

    monkeypatch.setattr(app, "build", refuse)
    assert app.main() == 2
    assert capsys.readouterr().err == "what is wrong\n"


def test_the_app_refuses_an_unknown_environment_in_one_line_without_a_traceback() -> None:
    environ = os.environ | {"CDK_CONTEXT_JSON": json.dumps({"environment": "staging"})}
    process = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr == ("environment 'staging': there is no such file; there are dev, local, preview, prod\n")


@pytest.mark.parametrize(
    ("environment", "pull_request", "stacks"),
    [
        ("dev", None, ["platform-dev", "orders-dev"]),
        ("local", None, ["platform-local", "orders-local"]),
        ("prod", None, ["platform-prod", "orders-prod"]),
        ("preview", None, ["platform-preview"]),
        ("preview", "123", ["orders-pr-123"]),
    ],
)
def test_an_environment_is_its_platform_and_its_orders_and_a_preview_is_orders_alone(
    synthesize: Synthesize, environment: str, pull_request: str | None, stacks: list[str]
) -> None:
    assembly = synthesize(environment, pull_request)
    assert sorted(stack.name for stack in assembly.stacks) == sorted(stacks)


def test_a_platform_is_deployed_before_its_orders(synthesize: Synthesize) -> None:
    orders = synthesize("dev").stack("orders-dev")
    assert "platform-dev" in orders.manifest["dependencies"]


@pytest.mark.parametrize(("environment", "pull_request"), SYNTHESES)
def test_every_stack_is_deployed_through_the_bootstrap_of_its_environment(
    synthesize: Synthesize, environment: str, pull_request: str | None
) -> None:
    bootstrap = f"cdk-{load(environment).qualifier}-"
    for stack in synthesize(environment, pull_request).stacks:
        if stack.name == "platform-preview":
            # A person deploys it, with credentials of their own.
            assert not [key for key in stack.properties if key.endswith("RoleArn")]
            continue
        assert f":role/{bootstrap}deploy-role-" in stack.properties["assumeRoleArn"]
        assert f":role/{bootstrap}cfn-exec-role-" in stack.properties["cloudFormationExecutionRoleArn"]


def expected_tags(environment: str, pull_request: str | None) -> dict[str, str]:
    tags = {"project": "orders", "environment": environment, "commit": COMMIT}
    return tags if pull_request is None else tags | {"pull-request": pull_request}


def tags_of(resource: Resource) -> dict[str, str]:
    tags = resource["Properties"].get("Tags", [])
    # Parameters have them as an object, all other resources as a list.
    return tags if resource["Type"] == "AWS::SSM::Parameter" else {tag["Key"]: tag["Value"] for tag in tags}


@pytest.mark.parametrize(("environment", "pull_request"), SYNTHESES)
def test_everything_that_can_have_tags_tells_its_project_environment_and_commit(
    synthesize: Synthesize, environment: str, pull_request: str | None
) -> None:
    tags = expected_tags(environment, pull_request)
    for stack in synthesize(environment, pull_request).stacks:
        # CloudFormation passes these on to every resource, so also to the two of which the CDK lets nobody set tags.
        assert stack.properties["tags"] == tags
        for name, resource in stack.resources.items():
            if resource["Type"] not in UNTAGGABLE and not name.startswith("CustomVpcRestrictDefaultSG"):
                assert tags.items() <= tags_of(resource).items(), name


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    command = [shutil.which("git") or "git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_that_is_checked_out_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "ROOT", tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    cdk_app = make_app(tmp_path / "assembly", environment="preview")
    build(cdk_app)
    assert synthesized(cdk_app).stacks[0].properties["tags"]["commit"] == git(tmp_path, "rev-parse", "HEAD")


@pytest.mark.parametrize("path", [None, "/nonexistent"], ids=["no repository", "no git"])
def test_without_a_commit_the_app_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    cdk_app = make_app(tmp_path / "assembly", environment="preview")
    monkeypatch.setattr(app, "ROOT", tmp_path)
    if path:
        monkeypatch.setenv("PATH", path)
    with pytest.raises(ContextError) as caught:
        build(cdk_app)
    assert str(caught.value) == (f"context commit: missing, and git knows of no commit in {tmp_path}; say -c commit=ID")


@pytest.mark.parametrize(("environment", "pull_request"), SYNTHESES)
def test_synthesis_looks_nothing_up(synthesize: Synthesize, environment: str, pull_request: str | None) -> None:
    manifest = synthesize(environment, pull_request).manifest
    assert manifest["artifacts"]
    assert not manifest.get("missing")


def copy_of_the_work_tree(folder: Path) -> Path:
    for name in ("environments", "functions", "infra"):
        # Byte code comes and goes while other tests run.
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, copy_function=shutil.copyfile, ignore=ignore)
    shutil.copyfile(ROOT / "cdk.json", folder / "cdk.json")
    (folder / ".tools").symlink_to(ROOT / ".tools")
    return folder


def start_synthesis(
    checkout: Path, output: Path, umask: int, network: Network, **environ: str
) -> subprocess.Popen[str]:
    """Start the CDK CLI as by hand, with no credentials, and so that all that it asks for is asked of this network."""
    needed = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HTTP_PROXY": network.url,
        "HTTPS_PROXY": network.url,
        "TELEMETRY_ENDPOINT": f"{network.url}/metrics",
        # What sends telemetry outlives the CLI. It now holds our pipe, so that we wait for it.
        "CDK_TELEMETRY_SENDER_DEBUG": "1",
        "CDK_HOME": f"{output}-home",  # notices are cached there, and then not asked for
    }
    # Above no threshold at all, so each synthesis counts as slow, for which the CDK may write down where the time went.
    values = ["environment=prod", f"commit={COMMIT}", "@aws-cdk/core.slowSynthThreshold=0"]
    context = [f"--context={value}" for value in values]
    return subprocess.Popen(
        [ROOT / "node_modules" / ".bin" / "cdk", "synth", "--quiet", "--output", output, *context],
        cwd=checkout,
        env=needed | environ,
        umask=umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def files_below(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_two_syntheses_of_one_commit_are_equal_byte_by_byte_and_ask_nothing_of_the_network(
    tmp_path: Path, installed_dependencies: Path, network: Network
) -> None:
    assert installed_dependencies.exists()
    one, other = copy_of_the_work_tree(tmp_path / "one"), copy_of_the_work_tree(tmp_path / "another" / "and-deeper")
    (tmp_path / "home").mkdir()
    processes = [
        start_synthesis(one, tmp_path / "first", 0o022, network, TZ="UTC"),
        start_synthesis(
            other,
            other / "second",
            0o077,
            network,
            HOME=str(tmp_path / "home"),
            USER="somebody",
            TZ="Pacific/Auckland",
            LANG="C",
            PYTHONHASHSEED="1",
            TMPDIR=str(tmp_path / "home"),
        ),
    ]
    for process in processes:
        printed, _ = process.communicate()
        assert process.returncode == 0, printed
    assert network.asked == []

    first, second = tmp_path / "first", other / "second"
    assert files_below(first) == files_below(second)
    assert {"platform-prod.template.json", "orders-prod.template.json", "manifest.json"} <= {
        path.name for path in files_below(first)
    }
    assert [path for path in files_below(first) if not cmp(first / path, second / path, shallow=False)] == []
    for path in files_below(first):
        assert str(tmp_path).encode() not in (first / path).read_bytes(), path
