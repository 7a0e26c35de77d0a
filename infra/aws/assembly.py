"""A built cloud assembly: what `build` writes and `deploy` brings to AWS."""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra import naming
from infra.aws.target import Target
from infra.errors import UsageError


@dataclass(frozen=True)
class Assembly:
    """The assembly in a folder."""

    folder: Path

    @classmethod
    def of(cls, target: Target, folder: Path | None) -> "Assembly":
        """Return the assembly of a target, from a folder or from where `build` writes it.

        Raises:
            UsageError: there is none, or it holds other stacks than the target's.
        """
        assembly = cls(folder or default_folder(target))
        found = sorted(assembly.stack_names)
        if found != sorted(target.stack_names):
            raise UsageError(
                f"{assembly.folder} holds {', '.join(found) or 'no stack'}, and not {', '.join(target.stack_names)}; "
                "the build command writes the right one"
            )
        place = f"aws://{target.environment.account}/{target.environment.region}"
        for name, stack in assembly._stacks.items():
            if stack["environment"] != place:
                raise UsageError(f"{assembly.folder}: {name} is built for {stack['environment']}, and not for {place}")
        return assembly

    @property
    def stack_names(self) -> list[str]:
        """The names of its stacks, in the order in which they are deployed.

        Raises:
            UsageError: there is no assembly in that folder.
        """
        return list(self._stacks)

    def tags(self, stack_name: str) -> dict[str, str]:
        """Return the tags that a stack is deployed with."""
        return self._stacks[stack_name]["properties"].get("tags", {})

    def commit(self, stack_name: str) -> str | None:
        """Return the commit that a stack was built from, as far as its template tells one."""
        told = self._template(stack_name).get("Outputs", {}).get(naming.Output.COMMIT)
        return told["Value"] if told else None

    @property
    def is_uncommitted(self) -> bool:
        """Whether it was built from changes that are in no commit."""
        return any((self.commit(name) or "").endswith(naming.UNCOMMITTED) for name in self._stacks)

    def resources(self, stack_name: str) -> dict[str, Any]:
        """Return the resources of a stack, as its template has them."""
        return self._template(stack_name)["Resources"]

    def endpoints(self, stack_name: str) -> list[str]:
        """Return the VPC endpoints that the code of a stack needs, where the network has no other way out."""
        file = self._stacks[stack_name].get("additionalMetadataFile")
        told: dict[str, Any] = json.loads((self.folder / file).read_text()) if file else {}
        entries: list[dict[str, Any]] = told.get(f"/{stack_name}", [])
        return [name for each in entries if each["type"] == naming.ENDPOINTS for name in each["data"]]

    def archive(self, stack_name: str) -> Path:
        """Return the archive of a stack's durable function."""
        functions = (each for each in self.resources(stack_name).values() if each["Type"] == "AWS::Lambda::Function")
        # An infrastructure.py may add other functions.
        (durable,) = (each["Properties"] for each in functions if "DurableConfig" in each["Properties"])
        return self.folder / f"asset.{durable['Code']['S3Key']}"

    def code_sha256(self, stack_name: str) -> str:
        """Return the digest of the archive of a stack's durable function, in Base64, as Lambda tells it."""
        return base64.b64encode(hashlib.sha256(self.archive(stack_name).read_bytes()).digest()).decode()

    def digest(self) -> str:
        """Return the SHA-256 of everything in it: names and contents of all files, and nothing else of them.

        Not counted is what the CDK CLI leaves there while it works: its locks, and the archives that it publishes.
        """
        total = hashlib.sha256()
        files = {path.relative_to(self.folder): path for path in self.folder.rglob("*") if path.is_file()}
        for name, path in sorted(files.items()):
            if name.parts[0] != ".cache" and name.suffix != ".lock":
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                total.update(f"{content}  {name.as_posix()}\n".encode())
        return total.hexdigest()

    def _template(self, stack_name: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{stack_name}.template.json").read_text())

    @cached_property
    def _stacks(self) -> dict[str, Any]:
        try:
            artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        except FileNotFoundError as error:
            raise UsageError(f"{self.folder} holds no cloud assembly; the build command writes one") from error
        return {
            name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"
        }


def default_folder(target: Target) -> Path:
    """Where `build` writes a target's assembly, and `deploy` looks for it, unless told otherwise."""
    suffix = f"-pr-{target.pull_request}" if target.pull_request is not None else ""
    return target.environment.project.root / "build" / "assembly" / f"{target.environment.name}{suffix}"
