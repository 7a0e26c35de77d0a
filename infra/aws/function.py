"""A durable function as it is deployed: its live alias, its versions, and the executions on them."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from infra import naming, operations
from infra.aws.clock import Clock
from infra.aws.execution import ENDED, NOT_ENDED, Execution, Listed
from infra.aws.scaling import Scaling
from infra.errors import CommandError
from infra.operations import Callback

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import ExecutionStatusType
    from mypy_boto3_lambda.type_defs import (
        AliasConfigurationResponseTypeDef,
        AliasConfigurationTypeDef,
        EventTypeDef,
        GetDurableExecutionResponseTypeDef,
    )

# Well below limits.EXECUTION_READS_PER_SECOND, which an account has for all of its functions.
POLL_SECONDS = 0.5
# An asynchronous start answers before the execution can be read. UNCONFIRMED (contract: an_execution_is_readable_soon,
# an_execution_is_listed_soon): how long before.
APPEARS_WITHIN_SECONDS = 30

_NUMBER = re.compile(r"[1-9][0-9]*")


class DeployedFunction:
    """A function of an account and region. One that does not exist has no versions and no executions.

    Args:
        client: of its account and region.
        name: what it is called on AWS, as its stack is.
        folder: that in functions/ which has its code, or had it.
        clock: what is waited on.
    """

    def __init__(self, client: "LambdaClient", name: str, folder: str, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.name = name
        self.folder = folder

    def live(self) -> str | None:
        """Return the version that new executions start on, or None where they are refused or nothing is deployed."""
        alias = self._alias(naming.ALIAS)
        return alias["FunctionVersion"] if alias else None

    def go_live(self, version: str) -> None:
        """Let new executions start on another version. Those that run stay on theirs.

        Raises:
            CommandError: there is no such version, or no live alias.
        """
        try:
            self._client.update_alias(FunctionName=self.name, Name=naming.ALIAS, FunctionVersion=version)
        except self._client.exceptions.ResourceNotFoundException as error:
            raise CommandError(f"{self.name} has no version {version} to go to, or no alias {naming.ALIAS}") from error

    def is_closed(self) -> bool:
        """Tell whether new executions are refused, by a drain that succeeded or was killed."""
        return self._alias(naming.CLOSED_ALIAS) is not None and self._alias(naming.ALIAS) is None

    def refuse_if_closed(self) -> None:
        """Refuse to work on a function that is closed.

        Raises:
            CommandError: it is.
        """
        if self.is_closed():
            raise CommandError(
                f"{self.name} takes no new executions: it was drained, to be removed. If it is to stay, open it with "
                "`drain --open` first"
            )

    def close(self) -> None:
        """Refuse new executions: the live alias, by which all of them start, takes another name.

        Neither a reserved concurrency nor a scaling of 0 does that: executions that wait are resumed by invocations as
        well, and would never end. The renamed alias remembers where the live one pointed, even if this process is
        killed.

        Raises:
            CommandError: the alias has a resource policy, which would be lost.
        """
        alias = self._alias(naming.ALIAS)
        if alias is None:
            return
        if self._alias_has_policy():
            raise CommandError(
                f"{self.name}: the alias {naming.ALIAS} has a resource policy, which closing it would lose; disable "
                "what triggers the function first, deploy it without that permission, and run this again"
            )
        self._rename(alias, naming.CLOSED_ALIAS)

    def open(self) -> None:
        """Take new executions again, on the version that was live before. It may be closed, half closed, or open."""
        if alias := self._alias(naming.CLOSED_ALIAS):
            self._rename(alias, naming.ALIAS)

    def aliases(self) -> "list[AliasConfigurationTypeDef]":
        """Return all aliases."""
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=self.name)
        return [alias for page in pages for alias in page["Aliases"]]

    def versions(self) -> list[str]:
        """Return the numbers of its published versions, newest first."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
        try:
            found = [version.get("Version", "") for page in pages for version in page["Versions"]]
        except self._client.exceptions.ResourceNotFoundException:
            return []
        return sorted(filter(_NUMBER.fullmatch, found), key=int, reverse=True)

    def code_sha256(self, version: str) -> str:
        """Return the digest of a version's archive, in Base64."""
        return self._client.get_function_configuration(FunctionName=self.name, Qualifier=version)["CodeSha256"]

    @property
    def scaling(self) -> Scaling:
        """How many execution environments its versions have."""
        return Scaling(self._client, self.name, self._clock)

    def is_asleep(self, version: str) -> bool:
        """Tell whether a version has no execution environment, so that nothing can run on it."""
        return self.scaling.floor(version) == 0

    def delete_version(self, version: str) -> None:
        """Delete one version.

        Raises:
            ValueError: that is not the number of a version. Without one, Lambda would delete the whole function.
        """
        if not _NUMBER.fullmatch(version):
            raise ValueError(f"{version!r} is not the number of a version of {self.name}")
        self._client.delete_function(FunctionName=self.name, Qualifier=version)

    def start(self, name: str, event: bytes) -> str:
        """Start a durable execution asynchronously through the live alias, and return its ARN.

        The same name with the same event returns the execution that exists already.

        Raises:
            CommandError: nothing is deployed, or Lambda answered without starting a durable execution.
        """
        alias = f"{self.name}:{naming.ALIAS}"
        try:
            response = self._client.invoke(
                FunctionName=alias, InvocationType="Event", DurableExecutionName=name, Payload=event
            )
        except self._client.exceptions.ResourceNotFoundException as error:
            region = self._client.meta.region_name
            raise CommandError(
                f"there is no function {alias} in {region}; deploy it first, or open it if it was drained"
            ) from error
        if arn := response.get("DurableExecutionArn"):
            return arn
        raise CommandError(f"{alias}: Lambda started no durable execution; does the function have a durable config?")

    def follow(
        self,
        arn: str,
        deadline_seconds: float,
        since: float | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Execution:
        """Read an execution until it has ended.

        Args:
            arn: which.
            deadline_seconds: how long it may take.
            since: from when on the clock that is counted; from now on unless told otherwise.
            meanwhile: done each time that it has not ended yet.

        Raises:
            CommandError: it has not ended within the deadline; the execution itself goes on. The callbacks that it
                waits for are named.
        """
        started = self._clock.monotonic() if since is None else since
        status = "not visible yet"
        while True:
            elapsed = self._clock.monotonic() - started
            if response := self._read(arn, tolerate_absence=elapsed < APPEARS_WITHIN_SECONDS):
                status = response["Status"]
                if status in ENDED:
                    return Execution.read(response)
            if elapsed >= deadline_seconds:
                waits = "".join(f". It waits for callback {each.name}" for each in self.waiting(arn))
                raise CommandError(f"{arn} is {status} after {deadline_seconds:.0f} s; it was left as it is{waits}")
            meanwhile()
            self._clock.sleep(POLL_SECONDS)

    def history(self, arn: str) -> "list[EventTypeDef]":
        """Return all events of an execution, oldest first, with the data of its operations."""
        pages = self._client.get_paginator("get_durable_execution_history").paginate(
            DurableExecutionArn=arn, IncludeExecutionData=True
        )
        return [event for page in pages for event in page["Events"]]

    def waiting(self, arn: str) -> list[Callback]:
        """Return the callbacks that an execution waits for; none where it can't be read yet, or has ended."""
        try:
            return operations.waiting(self.history(arn))
        except self._client.exceptions.ResourceNotFoundException:
            return []

    def executions(self, statuses: Iterable[str] = (*NOT_ENDED, *ENDED)) -> Iterator[Listed]:
        """List the executions of all versions, newest first, as far as Lambda still knows of them.

        Args:
            statuses: those with one of these alone.

        Raises:
            CommandError: one has an ARN that does not name its version.
        """
        # The types of the AWS clients do not know of pausing yet.
        chosen = cast("list[ExecutionStatusType]", list(statuses))
        paginator = self._client.get_paginator("list_durable_executions_by_function")
        try:
            for page in paginator.paginate(FunctionName=self.name, Statuses=chosen):
                yield from map(Listed.read, page["DurableExecutions"])
        except self._client.exceptions.ResourceNotFoundException:
            return

    def running(self) -> list[Listed]:
        """Return the executions that have not ended, paused ones too, oldest first."""
        return sorted(self.executions(NOT_ENDED), key=lambda execution: execution.started)

    def stop(self, arn: str, reason: str) -> bool:
        """Stop an execution. Code of it that runs now goes on until its next checkpoint.

        Returns:
            False where it had ended by itself.
        """
        try:
            self._client.stop_durable_execution(
                DurableExecutionArn=arn, Error={"ErrorType": "Stopped", "ErrorMessage": reason}
            )
        except self._client.exceptions.ClientError:
            read = self._client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=False)
            if read["Status"] in ENDED:
                return False
            raise
        return True

    def _rename(self, alias: "AliasConfigurationResponseTypeDef", name: str) -> None:
        """Make the alias under its new name before the old one goes. Done halfway, it is done again from the start."""
        write = self._client.update_alias if self._alias(name) else self._client.create_alias
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        write(
            FunctionName=self.name,
            Name=name,
            FunctionVersion=alias["FunctionVersion"],
            Description=alias.get("Description", ""),
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
        self._client.delete_alias(FunctionName=self.name, Name=alias["Name"])

    def _alias(self, name: str) -> "AliasConfigurationResponseTypeDef | None":
        try:
            return self._client.get_alias(FunctionName=self.name, Name=name)
        except self._client.exceptions.ResourceNotFoundException:
            return None

    def _alias_has_policy(self) -> bool:
        try:
            self._client.get_policy(FunctionName=self.name, Qualifier=naming.ALIAS)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return True

    def _read(self, arn: str, *, tolerate_absence: bool) -> "GetDurableExecutionResponseTypeDef | None":
        try:
            # The default of IncludeExecutionData is documented both ways, so it is always said.
            return self._client.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=True)
        except self._client.exceptions.ResourceNotFoundException:
            if tolerate_absence:
                return None
            raise
