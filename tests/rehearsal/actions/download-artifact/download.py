"""Copies an artifact of the run into a folder, or each that fits a pattern into a folder of its own below."""

import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    """Download; 1 when the artifact of a name does not exist."""
    artifacts = Path(os.environ["REHEARSAL_ARTIFACTS"]) / os.environ["GITHUB_RUN_ID"]
    target = Path(os.environ["INTO"])
    if name := os.environ["NAME"]:
        if not (artifacts / name).exists():
            print(f"::error::this run has no artifact {name}", file=sys.stderr)
            return 1
        wanted = {artifacts / name: target}
    else:
        wanted = {artifact: target / artifact.name for artifact in sorted(artifacts.glob(os.environ["PATTERN"]))}
    target.mkdir(parents=True, exist_ok=True)
    for artifact, folder in wanted.items():
        shutil.copytree(artifact, folder, dirs_exist_ok=True)
        print(f"{artifact.name} is in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
