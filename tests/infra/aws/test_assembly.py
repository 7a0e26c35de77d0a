"""Cloud assemblies on disk: whose they are, and what they hold."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from infra.aws.assembly import Assembly, default_folder
from infra.aws.target import Target
from infra.errors import UsageError
from tests.infra.fakes.environments import ACCOUNT, DEV, DEV_OF_TWO, PREVIEW, PREVIEW_OF_TWO, REGION

PLACE = f"aws://{ACCOUNT}/{REGION}"


def make(folder: Path, *stacks: str, place: str = PLACE) -> Path:
    """Write an assembly with these stacks, and with what else an assembly has."""
    stack = {"type": "aws:cloudformation:stack", "environment": place}
    artifacts: dict[str, Any] = {"dev.assets": {"type": "cdk:asset-manifest"}, "Tree": {"type": "cdk:tree"}}
    artifacts |= dict.fromkeys(stacks, stack)
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


@pytest.mark.parametrize("target", [Target(DEV), Target(DEV_OF_TWO), Target(PREVIEW_OF_TWO, 7), Target(PREVIEW)])
def test_an_assembly_of_a_target_holds_its_stacks_in_their_order(target: Target, tmp_path: Path) -> None:
    names = target.stack_names
    assembly = Assembly.of(target, make(tmp_path, *reversed(names)))
    assert assembly.stack_names == names[::-1]


@pytest.mark.parametrize(
    ("target", "stacks"),
    [
        pytest.param(Target(DEV), ["acme-platform-dev"], id="one of two"),
        pytest.param(Target(DEV_OF_TWO), ["acme-platform-dev", "acme-dev-billing"], id="two of three"),
        pytest.param(Target(DEV), Target(DEV_OF_TWO).stack_names, id="one more"),
        pytest.param(Target(PREVIEW, 7), ["acme-platform-dev", "acme-dev-billing"], id="of another environment"),
        pytest.param(Target(PREVIEW, 7), ["acme-pr-8-billing"], id="of another pull request"),
        pytest.param(Target(PREVIEW), ["acme-pr-7-billing"], id="of a preview"),
        pytest.param(Target(DEV), [], id="none"),
    ],
)
def test_other_stacks_than_the_targets_are_refused(target: Target, stacks: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"holds .*, and not {', '.join(target.stack_names)}; the build command"):
        Assembly.of(target, make(tmp_path, *stacks))


@pytest.mark.parametrize("place", [f"aws://222222222222/{REGION}", f"aws://{ACCOUNT}/us-east-1"])
def test_what_is_built_for_another_account_or_region_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"acme-pr-7-billing is built for {place}, and not for {PLACE}"):
        Assembly.of(Target(PREVIEW, 7), make(tmp_path, "acme-pr-7-billing", place=place))


def test_a_folder_without_an_assembly_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        Assembly.of(Target(DEV), tmp_path)


def test_each_preview_has_a_folder_of_its_own() -> None:
    folders = [default_folder(Target(PREVIEW, number)).name for number in (None, 1, 2)]
    assert folders == ["preview", "preview-pr-1", "preview-pr-2"]


def test_the_digest_of_the_code_is_that_of_the_archive_as_lambda_tells_it(tmp_path: Path) -> None:
    resources = {
        "Group": {"Type": "AWS::Logs::LogGroup"},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"DurableConfig": {}, "Code": {"S3Key": "built.zip"}},
        },
        "Another": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "other.zip"}}},
    }
    (tmp_path / "acme-dev-billing.template.json").write_text(json.dumps({"Resources": resources}))
    (tmp_path / "asset.built.zip").write_bytes(b"built")
    expected = base64.b64encode(hashlib.sha256(b"built").digest()).decode()
    assert Assembly(tmp_path).code_sha256("acme-dev-billing") == expected


def outputs(folder: Path, name: str, **outputs: str) -> None:
    template = {"Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    (folder / f"{name}.template.json").write_text(json.dumps(template))


def test_each_stack_tells_its_commit_and_one_mark_makes_all_uncommitted(tmp_path: Path) -> None:
    assembly = Assembly(make(tmp_path, "one", "other"))
    outputs(tmp_path, "one", Commit="a")
    outputs(tmp_path, "other")
    assert [assembly.commit(name) for name in ("one", "other")] == ["a", None]
    assert not assembly.is_uncommitted
    outputs(tmp_path, "other", Commit="a-dirty")
    assert assembly.is_uncommitted


def digest(folder: Path, **files: str) -> str:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Assembly(folder).digest()


def test_equal_assemblies_have_equal_digests(tmp_path: Path) -> None:
    first, second = (digest(tmp_path / name, manifest="{}", asset__index="x") for name in ("first", "second"))
    assert first == second
    assert first != digest(tmp_path / "third", manifest="{}", asset__other="x")


@pytest.mark.parametrize(
    "change", [{"manifest": "[]"}, {"asset__other": ""}, {"asset__index": "y"}, {".hidden": "x"}, {"cache__x": ""}]
)
def test_any_change_of_an_assembly_changes_its_digest(change: dict[str, str], tmp_path: Path) -> None:
    before = digest(tmp_path, manifest="{}", asset__index="x")
    assert digest(tmp_path, **change) != before


def test_what_the_cli_leaves_while_it_works_is_not_of_the_assembly(tmp_path: Path) -> None:
    before = digest(tmp_path, manifest="{}")
    (tmp_path / "synth.lock").write_text("1")
    assert digest(tmp_path, **{".cache__asset.zip": "x", "read.7.1.lock": "7"}) == before
