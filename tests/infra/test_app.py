import json
import os
import shutil
import subprocess
import sys
from filecmp import cmp
from functools import partial
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra import ROOT, app, bundle, functions, naming
from infra import project as projects
from infra.app import ContextError, build
from infra.bundle import BundleError
from infra.environment import Environment, load, load_all, names
from infra.errors import UsageError
from infra.toml import FileError
from tests.infra.synthesis import COMMIT, ENVIRONMENTS, Assembly, Resource, Synthesize, make_app, synthesized
from tests.network import Network

UNTAGGABLE = {
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::Policy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
}

SYNTHESES = [(name, None) for name in ENVIRONMENTS] + [("preview", "123")]
# Of this checkout, whatever they are.
LAST = projects.load().promote[-1]
KNOWN = f"say -c environment=NAME, of {', '.join(names())}"


def own(name: str) -> Environment:
    """Read an environment of the tests' own."""
    return ENVIRONMENTS[name]


def bundled(folder: Path, function: str, architecture: str, runtime: str, _: object) -> Path:
    """Make a bundle that says what it was made for."""
    (archive := folder / f"{function}.zip").write_text(f"{function} {architecture} {runtime}")
    return archive


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, f"context environment: missing; {KNOWN}"),
        ({"environment": ""}, f"context environment: missing; {KNOWN}"),
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
        build(make_app(tmp_path / "assembly", **context), partial(bundled, tmp_path), own)
    assert str(caught.value) == message


def test_an_unknown_environment_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"'nowhere': there is none of this name; there are {', '.join(names())}"):
        build(make_app(tmp_path, environment="nowhere"))


def test_a_bundle_that_is_not_installed_is_refused_with_how_to_install_it(tmp_path: Path) -> None:
    (folder := tmp_path / "functions" / "billing").mkdir(parents=True)
    (folder / "requirements.txt").touch()
    with pytest.raises(BundleError, match="`make bundle` installs them"):
        build(make_app(tmp_path / "assembly", environment="dev"), partial(bundle.build, root=tmp_path), own)


def bundles(assembly: Assembly, stack: str) -> list[str]:
    """Return what is in the bundles that a stack is deployed with."""
    listed = json.loads((assembly.folder / f"{stack}.assets.json").read_text())["files"]
    paths = [each["source"]["path"] for each in listed.values() if each["source"]["path"].endswith(".zip")]
    return [(assembly.folder / path).read_text() for path in paths]


@pytest.mark.parametrize(("environment", "pull_request"), [("prod", None), ("preview", "123")])
def test_each_function_gets_its_own_bundle_of_its_architecture_and_runtime(
    tmp_path: Path, environment: str, pull_request: str | None
) -> None:
    cdk_app = make_app(tmp_path / "assembly", environment=environment, pull_request=pull_request, commit=COMMIT)
    build(cdk_app, partial(bundled, tmp_path), own)
    assembly, place = synthesized(cdk_app), "pr-123" if pull_request else environment
    for function in ("billing", "refunds"):
        runtime = own(environment).settings(function).runtime
        assert bundles(assembly, f"acme-{place}-{function}") == [f"{function} arm64 {runtime}"]


def templates(folder: Path, environment: Environment, code: dict[str, str], commit: str = COMMIT) -> dict[str, str]:
    """Return the templates of an environment's stacks by their names, with this code of its functions."""
    folder.mkdir()

    def bundled(function: str, *_: object) -> Path:
        (archive := folder / f"{function}.zip").write_text(code[function])
        return archive

    cdk_app = make_app(folder / "assembly", environment=environment.name, commit=commit)
    build(cdk_app, bundled, {environment.name: environment}.__getitem__)
    return {stack.name: json.dumps(stack.template) for stack in synthesized(cdk_app).stacks}


def test_a_change_of_one_function_changes_no_template_but_its_own(tmp_path: Path) -> None:
    """So a version of another is not made anew, whose executions would go on with less beside them."""
    dev = own("dev")
    larger = dev.settings("refunds").model_copy(update={"memory_mb": 8192, "log_retention_days": 30})
    with_larger = dev.model_copy(update={"functions": {"refunds": larger}})
    without = dev.model_copy(update={"function_names": ("billing",)})
    before = templates(tmp_path / "before", dev, {"billing": "1", "refunds": "1"})
    for environment, changed in [
        (dev, templates(tmp_path / "code", dev, {"billing": "1", "refunds": "2"})),
        (with_larger, templates(tmp_path / "settings", with_larger, {"billing": "1", "refunds": "1"})),
        (without, templates(tmp_path / "without", without, {"billing": "1"})),
    ]:
        assert {name for name in before if before[name] != changed.get(name)} == {"acme-dev-refunds"}, environment
    assert sorted(before) == ["acme-dev-billing", "acme-dev-refunds", "acme-platform-dev"]


def test_another_commit_of_the_same_code_changes_an_output_of_each_stack_and_no_resource(tmp_path: Path) -> None:
    """So CloudFormation touches no resource for it."""
    dev, code, other = own("dev"), {"billing": "1", "refunds": "1"}, COMMIT[::-1]
    before = templates(tmp_path / "before", dev, code)
    after = templates(tmp_path / "after", dev, code, other)
    assert before.keys() == after.keys()
    for name, template in before.items():
        assert template.count(COMMIT) == 1
        assert json.loads(template)["Outputs"]["Commit"] == {"Value": COMMIT}
        assert template.replace(COMMIT, other) == after[name]


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
    environ = os.environ | {"CDK_CONTEXT_JSON": json.dumps({"environment": "nowhere"})}
    process = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr == f"environment 'nowhere': there is none of this name; there are {', '.join(names())}\n"


@pytest.mark.parametrize(
    ("environment", "pull_request", "stacks"),
    [
        ("dev", None, ["acme-platform-dev", "acme-dev-billing", "acme-dev-refunds"]),
        ("prod", None, ["acme-platform-prod", "acme-prod-billing", "acme-prod-refunds"]),
        ("preview", None, ["acme-platform-preview"]),
        ("preview", "123", ["acme-pr-123-billing", "acme-pr-123-refunds"]),
    ],
)
def test_an_environment_is_its_platform_and_its_functions_and_a_preview_is_functions_alone(
    synthesize: Synthesize, environment: str, pull_request: str | None, stacks: list[str]
) -> None:
    assembly = synthesize(environment, pull_request)
    assert sorted(stack.name for stack in assembly.stacks) == sorted(stacks)


def test_a_platform_is_deployed_before_its_functions_which_wait_for_no_other(synthesize: Synthesize) -> None:
    assembly = synthesize("dev")
    stacks = {stack.name for stack in assembly.stacks}
    for name in ("acme-dev-billing", "acme-dev-refunds"):
        assert stacks & {*assembly.stack(name).manifest["dependencies"]} == {"acme-platform-dev"}


def test_every_environment_of_this_checkout_is_synthesized_with_all_functions(synthesize_checkout: Synthesize) -> None:
    for environment in load_all().values():
        pull_request = 7 if environment.hosts_previews else None
        expected = {naming.function(environment, function, pull_request) for function in functions.names()}
        if pull_request is None:
            expected.add(naming.platform_stack(environment))
        assembly = synthesize_checkout(environment.name, str(pull_request) if pull_request else None)
        assert {stack.name for stack in assembly.stacks} == expected, f"environments/{environment.name}.toml"


def test_the_access_of_an_environment_is_a_stack_by_itself(tmp_path: Path) -> None:
    cdk_app = make_app(tmp_path, environment="dev", access="true")
    build(cdk_app, partial(bundled, tmp_path), own)
    [stack] = synthesized(cdk_app).stacks
    assert stack.name == "acme-access-dev"
    assert stack.properties["tags"] == {"project": "acme"}


@pytest.mark.parametrize(("environment", "pull_request"), SYNTHESES)
def test_every_stack_is_deployed_through_the_bootstrap_of_its_environment(
    synthesize: Synthesize, environment: str, pull_request: str | None
) -> None:
    bootstrap = f"cdk-{naming.qualifier(own(environment))}-"
    for stack in synthesize(environment, pull_request).stacks:
        if stack.name == "acme-platform-preview":
            # A person deploys it, with credentials of their own.
            assert not [key for key in stack.properties if key.endswith("RoleArn")]
            continue
        assert f":role/{bootstrap}deploy-role-" in stack.properties["assumeRoleArn"]
        assert f":role/{bootstrap}cfn-exec-role-" in stack.properties["cloudFormationExecutionRoleArn"]


def expected_tags(environment: str, pull_request: str | None) -> dict[str, str]:
    tags = {"project": "acme", "environment": environment}
    return tags if pull_request is None else tags | {"pull-request": pull_request}


def tags_of(resource: Resource) -> dict[str, str]:
    tags = resource["Properties"].get("Tags", [])
    # Parameters have them as an object, all other resources as a list.
    return tags if resource["Type"] == "AWS::SSM::Parameter" else {tag["Key"]: tag["Value"] for tag in tags}


@pytest.mark.parametrize(("environment", "pull_request"), SYNTHESES)
def test_everything_that_can_have_tags_tells_its_project_and_environment(
    synthesize: Synthesize, environment: str, pull_request: str | None
) -> None:
    for stack in synthesize(environment, pull_request).stacks:
        folder = stack.name.rpartition("-")[2]
        own_tags = {"function": folder} if folder in ("billing", "refunds") else {}
        tags = expected_tags(environment, pull_request) | own_tags
        # CloudFormation passes these on to every resource, so also to the two of which the CDK lets nobody set tags.
        assert stack.properties["tags"] == tags
        for name, resource in stack.resources.items():
            if resource["Type"] not in UNTAGGABLE:
                assert tags.items() <= tags_of(resource).items(), name


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    command = [shutil.which("git") or "git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("changed", "mark"),
    [(None, ""), ("ignored", ""), ("known", "-dirty"), ("new", "-dirty")],
)
def test_the_commit_that_is_checked_out_is_the_default_and_marked_where_that_is_not_all(
    changed: str | None, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout := tmp_path / "checkout").mkdir()
    monkeypatch.setattr(app, "ROOT", checkout)
    git(checkout, "init", "--quiet")
    (checkout / ".gitignore").write_text("ignored")
    (checkout / "known").touch()
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "first")
    if changed:
        (checkout / changed).write_text("changed")
    cdk_app = make_app(tmp_path / "assembly", environment="preview")
    build(cdk_app, partial(bundled, tmp_path), own)
    found = synthesized(cdk_app).stacks[0].template["Outputs"]["Commit"]["Value"]
    assert found == git(checkout, "rev-parse", "HEAD") + mark


@pytest.mark.parametrize(
    ("path", "said"),
    [(None, "git knows of no commit in {}"), ("/nonexistent", "git is not installed, which knows it")],
    ids=["no repository", "no git"],
)
def test_without_a_commit_the_app_says_how_to_name_one(
    path: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdk_app = make_app(tmp_path / "assembly", environment="preview")
    monkeypatch.setattr(app, "ROOT", tmp_path)
    if path:
        monkeypatch.setenv("PATH", path)
    with pytest.raises(ContextError) as caught:
        build(cdk_app, partial(bundled, tmp_path), own)
    assert str(caught.value) == f"context commit: missing, and {said.format(tmp_path)}; say -c commit=ID"


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
    for name in ("cdk.json", "project.toml"):
        shutil.copyfile(ROOT / name, folder / name)
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
    values = [f"environment={LAST}", f"commit={COMMIT}", "@aws-cdk/core.slowSynthThreshold=0"]
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


@pytest.mark.usefixtures("installed_dependencies")
def test_two_syntheses_of_one_commit_are_equal_byte_by_byte_and_ask_nothing_of_the_network(
    tmp_path: Path, network: Network
) -> None:
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
    environment = load(LAST)
    stacks = [naming.platform_stack(environment), *(naming.function(environment, each) for each in functions.names())]
    assert {"manifest.json", *(f"{name}.template.json" for name in stacks)} <= {
        path.name for path in files_below(first)
    }
    assert [path for path in files_below(first) if not cmp(first / path, second / path, shallow=False)] == []
    for path in files_below(first):
        assert str(tmp_path).encode() not in (first / path).read_bytes(), path
