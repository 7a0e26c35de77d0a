"""Checks a commit of the rehearsal's repository out, shallow unless the whole history was asked for."""

import os
import shutil
import subprocess
from pathlib import Path

# Every file is as old as this. What is installed is then newer to make, however new the checkout is.
TIME = 946_684_800  # the first second of 2000


def main() -> None:
    """Fetch, check out, and tell the commit."""
    origin, ref, depth = os.environ["REHEARSAL_REPOSITORY"], os.environ["REF"], os.environ["DEPTH"]
    git("init", "--quiet", "--initial-branch", "main")
    git("remote", "add", "origin", f"file://{origin}")
    wanted = [] if depth == "0" else ["--depth", depth]
    git("fetch", "--quiet", "--no-tags", *wanted, "origin", ref)
    commit = git("rev-parse", "FETCH_HEAD")
    if depth == "0":
        git("fetch", "--quiet", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    git("checkout", "--quiet", "--detach", commit)
    for name in git("ls-files", "-z").split("\0"):
        if name:
            os.utime(name, (TIME, TIME), follow_symlinks=False)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
        outputs.write(f"commit={commit}\n")
    print(f"{ref} is {git('log', '-1', '--format=%h, %s')}")


def git(*arguments: str) -> str:
    """Run git in the working directory, and return what it printed."""
    return subprocess.run(
        [shutil.which("git") or "git", *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
