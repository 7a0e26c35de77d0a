"""What runs on this machine."""

import subprocess


def processes(text: str) -> dict[int, str]:
    """Return the command lines that hold a text, by process id."""
    # As a Mac's ps understands it too.
    command = ["ps", "-A", "-ww", "-o", "pid=", "-o", "args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=1) for line in listed.stdout.splitlines() if text in line]
    return {int(process): command for process, command in lines}
