"""What runs each command of the pages. One that none of these lists has is a red test: add it to the first that fits.

1. `operating.STEPS`, what needs accounts: run on one local AWS, in that order, by tests/deployments/test_docs.py.
2. `RUN`, what needs none: run by test_commands.py, each in a copy of the checkout.
3. `SENT`, `make run` with its variables: run by tests/deployments/test_docs.py.
4. `ELSEWHERE`, what takes minutes or never ends: the file that has the very same command.
5. `BY_MODULE`, what asks a registry, takes long or ends with Ctrl-C: the file that tests the module that make runs.
6. `NOT_RUN`, with the reason why not.
"""

from tests.docs.names import FUNCTION
from tests.docs.operating import STEPS

OPERATING = tuple(step.command for step in STEPS)

RUN = (
    "make function NAME=refunds",
    f"make replay FUNCTION={FUNCTION}",
    "make replay",
    "make record",
    "make format",
)

SENT = (
    "make run",
    f"make run FUNCTION={FUNCTION} EVENT=order.json",
    "make run JSON=1",
)

ELSEWHERE = {
    "make test": ".ci/run",
    "make test-deployments": ".ci/run",
    "make test-adoption": ".ci/run",
    "make rehearse": ".ci/run",
    "make rehearse SCENARIO=merge": "tests/adoption/test_everything.py",
    "make test PYTHON=python3.11": ".github/workflows/portability.yml",
}

_DEV, _DEBUG = "tests/infra/local/test_dev.py", "tests/infra/local/test_debug.py"
_ADD, _LOCK = "tests/infra/dependencies/test_add.py", "tests/infra/dependencies/test_lock.py"
BY_MODULE = {
    "make dev": _DEV,
    f"make dev FUNCTION={FUNCTION} EVENT=order.json": _DEV,
    f"make debug FUNCTION={FUNCTION} EVENT=order.json": _DEBUG,
    f"make add FUNCTION={FUNCTION} PACKAGE=pydantic": _ADD,
    f"make add FUNCTION={FUNCTION} PACKAGE='pydantic>=2,<3'": _ADD,
    "make lock": _LOCK,
    "make lock UPGRADE=1": _LOCK,
    "make contract ENVIRONMENT=dev": "tests/infra/pipeline/test_contract.py",
}

_INSTALLS = "installs into the checkout that runs the tests, or away from it; a workflow begins with it"
# Endpoints and fields are those of GitHub's REST API (deployment environments, deployment branch policies).
_GITHUB = "asks GitHub to change a repository; the rehearsal makes the same environments and holds jobs to them"
_WRITES = "writes the very pages, where this is our sample; test_generated.py compares what it would write"
NOT_RUN = {
    "make local": "runs until Ctrl-C; tests/infra/local/test_aws.py starts the same local AWS, and ends it",
    ".venv/bin/python -m infra.local --skip-time": "runs until Ctrl-C; tests/infra/local/test_aws.py starts it so",
    ".venv/bin/python -m infra.local --enforce-iam": "as --skip-time; tests/infra/local/test_run.py uses such a one",
    "make setup": _INSTALLS,
    "make clean": _INSTALLS,
    "make docs": _WRITES,
    "make docs PAGE=docs/roles.md": _WRITES,
    "make rehearse KEEP=1": "stays up until Ctrl-C; tests/test_makefile.py checks that the option is passed on",
    "make rehearse ACTIONS=folder": "needs the actions' checkouts, and a network to get them",
    "gh api repos/OWNER/NAME --jq '{owner: .owner.login, name, owner_id: .owner.id, id}'": "asks GitHub",
}
# By what they begin with.
NOT_RUN_BY_PROGRAM = {
    "gh api --method": _GITHUB,
    "aws ": "the AWS CLI is not installed here; test_commands.py holds its words against AWS's own models",
}


def runs_it(command: str) -> str | None:
    """Return what runs a command, or why nothing does; None where no list has it."""
    if command in OPERATING:
        return "tests/deployments/test_docs.py"
    if command in RUN or command in SENT:
        return "tests/docs/commands.py"
    by_program = next((why for start, why in NOT_RUN_BY_PROGRAM.items() if command.startswith(start)), None)
    return ELSEWHERE.get(command) or BY_MODULE.get(command) or NOT_RUN.get(command) or by_program


def listed() -> set[str]:
    """Return all commands that some list has."""
    return {*OPERATING, *RUN, *SENT, *ELSEWHERE, *BY_MODULE, *NOT_RUN}
