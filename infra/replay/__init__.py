"""Shows whether running executions could resume with the code of this checkout.

A function's histories are recorded from an execution of the sample event of its contract.toml, on AWS's local runner,
which skips waits and delays. A team replaces what such an execution must not touch, in
`tests/functions/NAME/recording.py`:

    def replaced() -> AbstractContextManager[object]: ...

Within what it returns the function calls nobody, and reads no clock and nothing random, so that the same code gives the
same bytes on every machine. It leaves the operations as they are, and the execution succeeds; a step that fails once on
the way gives the history of a retry as well. The function's modules are imported by then, under the names that they
have on Lambda (`NAME.handler`), so that `unittest.mock.patch` finds them. Without the file nothing is replaced.

Callbacks are answered as the contract's `[callbacks]` says. `recording.py` says what the functions return that are
invoked, by their names as the handler gives them to `invoke`, with or without the qualifier; and the environment
variables that the handler reads, which are set in a replay as well:

    INVOKED = {"some-function": {"id": "some-id"}}
    ENVIRONMENT = {"OTHER": "some-function"}
"""

from pathlib import Path

from infra import ROOT


def recorded(function: str, root: Path = ROOT) -> Path:
    """Return the folder of a function's histories, recorded from the code on main.

    Args:
        function: its folder in functions/.
        root: the folder that holds functions/ and tests/.
    """
    return _tests(function, root) / "recorded"


def recording(function: str, root: Path = ROOT) -> Path:
    """Return the file that says what of a function is replaced while it is recorded; it may be absent."""
    return _tests(function, root) / "recording.py"


def _tests(function: str, root: Path) -> Path:
    return root / "tests" / "functions" / function
