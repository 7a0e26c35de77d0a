"""Running what asks a registry for packages: pip, uv and npm. Where one can't reach it, a sentence says so.

It runs before anything is installed: standard library only.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# What they say of a registry that they can't reach, or that turns them away: pip and uv in words, npm in codes of Node.
_UNREACHED = re.compile(
    r"Max retries exceeded|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|HTTP error|versions: none|"
    r"Failed to fetch|error sending request|HTTP status|network was disabled|"
    r"ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EHOSTUNREACH|ENETUNREACH|CERT_|_CERT|E401|E403|E407"
)


def run(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run a command, show what it complains of as it does so, and return its exit code and those complaints."""
    said: list[str] = []
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            said.append(line)
    return process.returncode, "".join(said)


def unreached(tool: str, said: str) -> str | None:
    """Return a sentence for complaints of a registry that can't be reached; None for all others."""
    if not _UNREACHED.search(said):
        return None
    return (
        f"{Path(tool).name} could not reach its package registry, or was turned away: look at the network, and at what "
        'docs/platforms.md says under "Behind a proxy or a mirror"'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command for the Makefile, and return its exit code."""
    parser = argparse.ArgumentParser("python -m infra.dependencies.registries", description=__doc__)
    parser.add_argument("--otherwise", default="", help="what to say where it fails for another reason")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    parsed = parser.parse_args(arguments)
    tool, *words = parsed.command
    code, said = run(parsed.command, Path())
    if code:
        # That of a Python is the module that it runs.
        name = words[words.index("-m") + 1] if "-m" in words else tool
        if sentence := unreached(name, said) or parsed.otherwise:
            print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
