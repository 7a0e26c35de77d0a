"""What a team changes first, each as README says it."""

from itertools import cycle

from infra.project import EXAMPLE_OWNER
from infra.toml import FileError
from tests.adoption.fork import Fork

REGIONS = ("eu-central-1", "us-east-2")


def take_over(fork: Fork, *, subject_has_ids: bool) -> set[str]:
    """Put another repository, other accounts, another region and its zones in place of ours; return what was edited."""
    repository = fork.project.repository
    known = {"owner_id": 424242, "id": 737373} if subject_has_ids else {"owner_id": 0, "id": 0}
    fork.assign("project.toml", owner=f"not-{EXAMPLE_OWNER}", subject_has_ids=subject_has_ids, **known)
    # The first line of that key is the project's own name.
    text = (fork.folder / "project.toml").read_text()
    head, found, tail = text.partition("[repository]")
    assert found, "project.toml has no table [repository]"
    tail = tail.replace(f'name = "{repository.name}"', 'name = "its.own_name"', 1)
    (fork.folder / "project.toml").write_text(head + found + tail)
    edited = {"project.toml"}
    accounts: dict[str, str] = {}
    numbers = cycle(("345678901234", "456789012345", "567890123456", "678901234567"))
    for name, environment in fork.environments.items():
        if name not in fork.project.environments:
            continue
        region = next(each for each in REGIONS if each != environment.region)
        account = accounts.setdefault(environment.account, next(numbers))
        zones = [region + zone[-1] for zone in environment.network.zones]
        fork.assign(f"environments/{name}.toml", account=account, region=region, zones=zones)
        edited.add(f"environments/{name}.toml")
    return edited


def rename(fork: Fork, name: str) -> set[str]:
    """Give the project another name, which is one line."""
    text = (fork.folder / "project.toml").read_text()
    line = f'name = "{fork.project.name}"'
    (fork.folder / "project.toml").write_text(text.replace(line, f'name = "{name}"', 1))
    return {"project.toml"}


def add_environment(fork: Fork, name: str) -> set[str]:
    """Add an environment to the promotion order: a file, and a word."""
    fork.add_environment(name)
    return {"project.toml", f"environments/{name}.toml"}


def add_function(fork: Fork, name: str) -> tuple[str, ...]:
    """Make a function, and return what may be touched by it: folders, and the files of environments without room."""
    before = fork.environments
    fork.run("make", "function", f"NAME={name}")
    made = (f"functions/{name}/", f"tests/functions/{name}/")
    try:
        assert fork.environments
    except FileError:
        # As its message asks for; how large a fork lets its capacity providers be is its own.
        fork.make_room_for_a_function(before)
        return (*made, "environments/")
    return made


def add_resources(fork: Fork, name: str) -> set[str]:
    """Give a function that was just made a step that writes to a table and to a queue; return what was edited."""
    code, tests = f"functions/{name}", f"tests/functions/{name}"
    (fork.folder / code / "infrastructure.py").write_text(INFRASTRUCTURE)
    (fork.folder / code / "notice.py").write_text(NOTICE)
    fork.replace(
        f"{code}/handler.py",
        {
            f"from {name}.work import": f"from {name}.notice import notify\nfrom {name}.work import",
            "    doneAt: int\n": "    doneAt: int\n    notice: str\n",
            '    return {**accepted, "doneAt": done_at}': (
                '    notice = context.step(_notify(accepted["id"]), name="notify", config=WORK)\n'
                '    return {**accepted, "doneAt": done_at, "notice": notice}'
            ),
            "\n\ndef _idempotency_key": (
                "\n\n@durable_step\ndef _notify(_: StepContext, id_: str) -> str:\n    return notify(id_)\n"
                "\n\ndef _idempotency_key"
            ),
        },
    )
    fork.replace(f"{code}/contract.toml", {'"step work"]': '"step work", "step notify"]'})
    now, told = f'patch("{name}.handler._now"', f'patch("{name}.handler.notify", "hello {{}}".format),\n        '
    fork.replace(f"{tests}/recording.py", {now: told + now})
    fixture = (
        "@pytest.fixture(autouse=True)\ndef _notices(monkeypatch: pytest.MonkeyPatch) -> None:\n"
        f'    monkeypatch.setattr("{name}.handler.notify", "hello {{}}".format)\n\n\nclass Work:'
    )
    fork.replace(f"{tests}/test_handler.py", {"class Work:": fixture})
    fork.replace(f"{code}/contract.toml", {'doneAt = "{number}"': 'doneAt = "{number}"\nnotice = "hello {name}"'})
    fork.run("make", "record", f"FUNCTION={name}")
    edited = ("infrastructure.py", "notice.py", "handler.py", "contract.toml")
    recorded = {path.relative_to(fork.folder).as_posix() for path in (fork.folder / tests / "recorded").iterdir()}
    return {f"{code}/{file}" for file in edited} | {f"{tests}/recording.py", f"{tests}/test_handler.py"} | recorded


INFRASTRUCTURE = '''"""The table and the queue of notices."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)


def add(stack: cdk.Stack, function: lambda_.Function, alias: lambda_.Alias) -> None:
    """Add both, and let the function write to them."""
    table = dynamodb.Table(stack, "Table", partition_key=KEY, billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST)
    table.grant_write_data(function)
    queue = sqs.Queue(stack, "Notices")
    queue.grant_send_messages(function)
    function.add_environment("TABLE", table.table_name)
    function.add_environment("NOTICES", queue.queue_url)
    function.add_environment("GREETING", "hello")
'''
NOTICE = '''"""Notices of what was done."""

import os
from typing import Any

import boto3
from botocore.config import Config

# All together well below the function's timeout.
PATIENCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})


def notify(id_: str) -> str:
    """Note what was done in the table, tell the queue, and return what was said."""
    table: Any = boto3.resource("dynamodb", config=PATIENCE)
    table.Table(os.environ["TABLE"]).put_item(Item={"id": id_})
    queue: Any = boto3.client("sqs", config=PATIENCE)
    text = f"{os.environ['GREETING']} {id_}"
    queue.send_message(QueueUrl=os.environ["NOTICES"], MessageBody=text)
    return text
'''
