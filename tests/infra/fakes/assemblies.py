"""Cloud assemblies as `build` leaves them, without building any."""

import json
from pathlib import Path

from infra.aws.target import Target
from infra.naming import Output

COMMIT = "b" * 40
ARCHIVE, ARCHIVE_SHA256 = b"what was built", "Z31g60NY53rIEjaPfluFyc/aIKTA4o2ojpBif2RkjbI="
FUNCTION = {
    "Function": {
        "Type": "AWS::Lambda::Function",
        "Properties": {"DurableConfig": {}, "Code": {"S3Key": "built.zip"}},
    }
}


def write(folder: Path, of: Target, commit: str = COMMIT) -> Path:
    """Write the assembly of a target into a folder of its own, and return that."""
    folder /= f"assembly-of-{'-and-'.join(of.stack_names)}"
    folder.mkdir(exist_ok=True)
    place = f"aws://{of.environment.account}/{of.environment.region}"
    stack = {"type": "aws:cloudformation:stack", "environment": place}
    artifacts = dict.fromkeys(of.stack_names, stack) | {"Tree": {"type": "cdk:tree"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    functions = [of.function_name(name) for name in of.function_names]
    for name in {*of.stack_names, *functions}:
        resources = FUNCTION if name in functions else {}
        template = {"Resources": resources, "Outputs": {Output.COMMIT: {"Value": commit}}}
        (folder / f"{name}.template.json").write_text(json.dumps(template))
    (folder / "asset.built.zip").write_bytes(ARCHIVE)
    return folder
