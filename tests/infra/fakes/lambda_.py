"""Lambda in memory: functions with aliases, versions and durable executions."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.infra.fakes.base import Answer, AwsError, FakeClock, page


@dataclass
class FakeExecution:
    """A durable execution."""

    arn: str
    name: str
    version: str
    status: str
    started: datetime
    stops: bool = True
    result: str | None = None
    error: dict[str, str] | None = None
    events: list[Answer] = field(default_factory=list[Answer])


@dataclass
class FakeFunction:
    """A function with its versions; what an execution does is up to `behaviour`, by the version that it starts on."""

    name: str
    versions: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])  # as was asked for last
    applied: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])  # where it differs from that
    states: dict[str, str] = field(default_factory=dict[str, str])  # of versions that are not Active
    aliases: dict[str, Answer] = field(default_factory=dict[str, Answer])
    policies: set[str] = field(default_factory=set[str])
    code: dict[str, str] = field(default_factory=dict[str, str])  # the digests of versions
    executions: list[FakeExecution] = field(default_factory=list[FakeExecution])
    durable: bool = True
    behaviour: dict[str, Callable[[FakeExecution], object]] = field(
        default_factory=dict[str, Callable[[FakeExecution], object]]
    )


# What a version takes to wake, in seconds.
WAKES_WITHIN = 67


class FakeLambda:
    """The functions of an account and region."""

    def __init__(self, account: str, region: str, clock: FakeClock) -> None:
        self.account, self.region, self.clock = account, region, clock
        self.functions: dict[str, FakeFunction] = {}
        self.on_provider: dict[str, list[str]] = {}  # ARNs of versions, by the ARN of the capacity provider

    def function(self, name: str, *versions: str, live: str | None = None) -> FakeFunction:
        """Make a function with versions, three environments each, the last of which is live unless told otherwise."""
        function = FakeFunction(name, {version: {"least": 3, "most": 4} for version in versions})
        if versions:
            function.aliases["live"] = {"FunctionVersion": live or versions[-1]}
        self.functions[name] = function
        return function

    def forget(self, name: str) -> None:
        """Let a function be gone, and its versions from the capacity providers."""
        self.functions.pop(name, None)
        self._leave_providers(f"{self.arn_of(name)}:")

    def _leave_providers(self, prefix: str) -> None:
        for arn, versions in self.on_provider.items():
            self.on_provider[arn] = [each for each in versions if not f"{each}:".startswith(prefix)]

    def execution(self, function: str, name: str, status: str = "RUNNING", version: str = "1") -> FakeExecution:
        """Make an execution of a function."""
        arn = f"{self.arn_of(function)}:{version}/durable-execution/{name}/{len(self.functions[function].executions)}"
        made = FakeExecution(arn, name, version, status, self.clock.now())
        self.functions[function].executions.append(made)
        return made

    def arn_of(self, function: str) -> str:
        """Return a function's ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{function}"

    def _function(self, parameters: Answer) -> FakeFunction:
        name = parameters["FunctionName"].partition(":")[0]
        if name not in self.functions:
            raise AwsError("ResourceNotFoundException", f"Function not found: {name}")
        return self.functions[name]

    def _alias(self, parameters: Answer) -> Answer:
        function = self._function(parameters)
        if parameters["Name"] not in function.aliases:
            raise AwsError("ResourceNotFoundException", f"Cannot find alias {parameters['Name']}")
        return {"Name": parameters["Name"], **function.aliases[parameters["Name"]]}

    def _version(self, parameters: Answer) -> dict[str, int]:
        function, version = self._function(parameters), parameters.get("Qualifier", "")
        if version not in function.versions:
            raise AwsError("ResourceNotFoundException", f"{function.name} has no version {version}")
        return function.versions[version]

    def get_alias(self, parameters: Answer) -> Answer:
        return self._alias(parameters)

    def create_alias(self, parameters: Answer) -> Answer:
        function = self._function(parameters)
        if parameters["Name"] in function.aliases:
            raise AwsError("ResourceConflictException", f"Alias already exists: {parameters['Name']}")
        function.aliases[parameters["Name"]] = {}
        return self.update_alias(parameters)

    def update_alias(self, parameters: Answer) -> Answer:
        self._alias(parameters)
        function = self._function(parameters)
        keys = ("FunctionVersion", "Description", "RoutingConfig")
        changes = {key: parameters[key] for key in keys if key in parameters}
        if "FunctionVersion" in changes and changes["FunctionVersion"] not in function.versions:
            raise AwsError("ResourceNotFoundException", f"Function not found: {changes['FunctionVersion']}")
        function.aliases[parameters["Name"]].update(changes)
        return self._alias(parameters)

    def delete_alias(self, parameters: Answer) -> Answer:
        self._function(parameters).aliases.pop(parameters["Name"], None)
        return {}

    def list_aliases(self, parameters: Answer) -> Answer:
        aliases = [{"Name": name, **alias} for name, alias in self._function(parameters).aliases.items()]
        return page(aliases, parameters, "Aliases", "Marker", "NextMarker")

    def get_policy(self, parameters: Answer) -> Answer:
        if parameters.get("Qualifier") not in self._function(parameters).policies:
            raise AwsError("ResourceNotFoundException", "No policy is associated with the given resource.")
        return {"Policy": "{}"}

    def list_versions_by_function(self, parameters: Answer) -> Answer:
        numbers = ["$LATEST", "$LATEST.PUBLISHED", *self._function(parameters).versions]
        return page([{"Version": each} for each in numbers], parameters, "Versions", "Marker", "NextMarker")

    def get_function_configuration(self, parameters: Answer) -> Answer:
        self._version(parameters)
        function, version = self._function(parameters), parameters["Qualifier"]
        return {"CodeSha256": function.code.get(version, ""), "State": function.states.get(version, "Active")}

    def get_function_scaling_config(self, parameters: Answer) -> Answer:
        requested = self._version(parameters)
        applied = self._function(parameters).applied.get(parameters["Qualifier"], requested)
        names = {"least": "MinExecutionEnvironments", "most": "MaxExecutionEnvironments"}
        told = {"RequestedFunctionScalingConfig": requested, "AppliedFunctionScalingConfig": applied}
        return {key: {names[name]: count for name, count in each.items()} for key, each in told.items() if each}

    def put_function_scaling_config(self, parameters: Answer) -> Answer:
        version, wanted = self._version(parameters), parameters["FunctionScalingConfig"]
        least, most = wanted.get("MinExecutionEnvironments", 3), wanted.get("MaxExecutionEnvironments", 15_000)
        if least > most or (least == 0) != (most == 0):
            raise AwsError("InvalidParameterValueException", f"{least} to {most}")
        self._sleep_or_wake(self._function(parameters), parameters["Qualifier"], version["most"], most)
        version.update(least=least, most=most)
        return {"FunctionState": self._function(parameters).states.get(parameters["Qualifier"], "Active")}

    def _sleep_or_wake(self, function: FakeFunction, version: str, before: int, after: int) -> None:
        if after == 0:
            function.states[version] = "Deactivated"
        elif before == 0:
            function.states[version] = "Pending"
            self.clock.after(WAKES_WITHIN, lambda: function.states.pop(version, None))

    def delete_function(self, parameters: Answer) -> Answer:
        function, version = self._function(parameters), parameters.get("Qualifier")
        if version is None:
            self.forget(function.name)
            return {}
        named = [alias["FunctionVersion"] for alias in function.aliases.values()]
        for alias in function.aliases.values():
            named += alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        if version in named:
            raise AwsError("ResourceConflictException", f"Unable to delete version {version}: an alias names it")
        function.versions.pop(version, None)
        self._leave_providers(f"{self.arn_of(function.name)}:{version}:")
        return {"StatusCode": 204}

    def list_capacity_providers(self, _: Answer) -> Answer:
        return {"CapacityProviders": []}

    def list_function_versions_by_capacity_provider(self, parameters: Answer) -> Answer:
        arn = parameters["CapacityProviderName"]
        if arn not in self.on_provider:
            raise AwsError("ResourceNotFoundException", f"no capacity provider {arn}")
        versions = [{"FunctionArn": each, "State": "Active"} for each in self.on_provider[arn]]
        return {"CapacityProviderArn": arn, **page(versions, parameters, "FunctionVersions", "Marker", "NextMarker")}

    def invoke(self, parameters: Answer) -> Answer:
        function, qualifier = self._function(parameters), parameters["FunctionName"].rpartition(":")[2]
        if qualifier not in {**function.aliases, **function.versions}:
            raise AwsError("ResourceNotFoundException", f"Function not found: {parameters['FunctionName']}")
        version = function.aliases.get(qualifier, {}).get("FunctionVersion", qualifier)
        if state := function.states.get(version):
            raise AwsError("ResourceConflictException", f"The function is currently in the following state: {state}")
        json.loads(parameters["Payload"])
        if not function.durable:
            return {"StatusCode": 202}
        execution = self.execution(function.name, parameters["DurableExecutionName"], version=version)
        function.behaviour.get(version, lambda _: None)(execution)
        return {"StatusCode": 202, "DurableExecutionArn": execution.arn}

    def _execution(self, parameters: Answer) -> FakeExecution:
        arn = parameters["DurableExecutionArn"]
        for function in self.functions.values():
            for execution in function.executions:
                if execution.arn == arn:
                    return execution
        raise AwsError("ResourceNotFoundException", f"no execution {arn}")

    def get_durable_execution(self, parameters: Answer) -> Answer:
        execution = self._execution(parameters)
        more = {"Result": execution.result, "Error": execution.error}
        return {
            "DurableExecutionArn": execution.arn,
            "DurableExecutionName": execution.name,
            "FunctionArn": execution.arn.partition("/")[0],
            "StartTimestamp": execution.started,
            "Status": execution.status,
            "Version": execution.version,
            **{key: value for key, value in more.items() if value is not None},
        }

    def get_durable_execution_history(self, parameters: Answer) -> Answer:
        return page(self._execution(parameters).events, parameters, "Events", "Marker", "NextMarker")

    def list_durable_executions_by_function(self, parameters: Answer) -> Answer:
        found = [
            {
                "DurableExecutionArn": each.arn,
                "DurableExecutionName": each.name,
                "FunctionArn": each.arn.partition("/")[0],
                "StartTimestamp": each.started,
                "Status": each.status,
            }
            for each in sorted(self._function(parameters).executions, key=lambda each: each.started, reverse=True)
            if each.status in parameters.get("Statuses", [each.status])
        ]
        return page(found, parameters, "DurableExecutions", "Marker", "NextMarker")

    def stop_durable_execution(self, parameters: Answer) -> Answer:
        execution = self._execution(parameters)
        if execution.status not in ("RUNNING", "PAUSING", "PAUSED"):
            raise AwsError("InvalidParameterValueException", f"{execution.name} is {execution.status}")
        if execution.stops:
            execution.status = "STOPPED"
        return {"StopTimestamp": self.clock.now()}

    def _answer(self, parameters: Answer, kind: str) -> Answer:
        for execution in (each for function in self.functions.values() for each in function.executions):
            for event in execution.events:
                if event.get("CallbackStartedDetails", {}).get("CallbackId") == parameters["CallbackId"]:
                    if any(each["Id"] == event["Id"] for each in execution.events if each is not event):
                        raise AwsError("CallbackTimeoutException", "closed")
                    answer = {"EventType": kind, "EventTimestamp": self.clock.now()}
                    execution.events.append(
                        {key: value for key, value in event.items() if key != "CallbackStartedDetails"} | answer
                    )
                    return {}
        raise AwsError("InvalidParameterValueException", f"no callback {parameters['CallbackId']}")

    def send_durable_execution_callback_success(self, parameters: Answer) -> Answer:
        return self._answer(parameters, "CallbackSucceeded")

    def send_durable_execution_callback_failure(self, parameters: Answer) -> Answer:
        return self._answer(parameters, "CallbackFailed")

    def send_durable_execution_callback_heartbeat(self, _: Answer) -> Answer:
        return {}
