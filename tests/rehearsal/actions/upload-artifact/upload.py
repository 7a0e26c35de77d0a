"""Copies the files of a folder into the artifact of a name, which belongs to the run. Modes and empty folders go."""

import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    """Upload; 1 when there is nothing and that was said to be an error, or the artifact exists."""
    name, source = os.environ["NAME"], Path(os.environ["FROM"])
    target = Path(os.environ["REHEARSAL_ARTIFACTS"]) / os.environ["GITHUB_RUN_ID"] / name
    found = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    if os.environ["HIDDEN"] != "true":
        found = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    if not found:
        print(f"No files were found in {source}")
        return int(os.environ["NOTHING_FOUND"] == "error")
    if target.exists():
        if os.environ["OVERWRITE"] != "true":
            print(f"::error::an artifact {name} exists in this run", file=sys.stderr)
            return 1
        shutil.rmtree(target)
    for path in found:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    print(f"{len(found)} files are in the artifact {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
