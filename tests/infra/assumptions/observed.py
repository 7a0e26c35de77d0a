"""An AWS in memory that is as we say AWS is, in all that checks ask of it."""

import json
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, cast

from infra import naming
from infra.assumptions.check import Outcome
from infra.aws import quotas
from infra.aws.leftovers import LOGICAL_ID, STACK_ID
from infra.console.report import Report
from infra.environment import Environment
from infra.pipeline import contract
from infra.policies.resources import toolkit_roles
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.base import Answer as Json
from tests.infra.fakes.base import AwsError, FakeClock
from tests.infra.fakes.cloudformation import FakeCloudFormation
from tests.infra.fakes.commands import facts, run, target
from tests.infra.fakes.environments import environment
from tests.infra.fakes.history import at, event, invocation
from tests.infra.fakes.lambda_ import FakeExecution, FakeFunction, FakeLambda

# Without a NAT gateway and of one environment, so that each statement can be asked.
WHOLE = environment(network={"nat_gateways": 0}, function={"minimum_environments": 1})
NAME, PLATFORM, GROUP = "acme-dev-billing", "acme-platform-dev", "acme-dev-billing-logs"
PROVIDER = f"arn:aws:lambda:eu-west-1:111111111111:capacity-provider:{PLATFORM}-Provider"
ROLE = toolkit_roles(WHOLE, "cfn-exec")[0]
TAGS = naming.tags(WHOLE)
FIRST, LAST = "request-1", "request-2"
WAKES_AFTER = 70.0
OK = 200


class ObservedLambda(FakeLambda):
    """Lambda, which publishes versions and lets them sleep."""

    def __init__(self, account: str, region: str, clock: FakeClock) -> None:
        super().__init__(account, region, clock)
        self.description, self.published = "", ""
        self.latest_published = 0
        self.is_idempotent = True
        self.states: dict[str, str] = {}

    def get_function_configuration(self, parameters: Json) -> Json:
        if ":999999999999:" in parameters["FunctionName"]:
            raise AwsError("AccessDeniedException", "not authorized")
        if "Qualifier" not in parameters:
            return {"Description": self.description, "LastUpdateStatus": "Successful"}
        return {"State": self.states.get(parameters["Qualifier"], "Active")}

    def update_function_configuration(self, parameters: Json) -> Json:
        self.description = parameters["Description"]
        return {}

    def publish_version(self, parameters: Json) -> Json:
        function = self._function(parameters)
        if self.description != self.published:
            self.published, number = self.description, str(max(map(int, function.versions)) + 1)
            function.versions[number] = {"least": 3, "most": 15_000}
            self.on_provider[PROVIDER].append(f"{self.arn_of(function.name)}:{number}")
            self._come_to(number, "Active", "Pending")
            function.behaviour[number] = lambda each: self.clock.after(1, lambda: bill(each))
        return {"Version": max(function.versions, key=int)}

    def get_function_scaling_config(self, parameters: Json) -> Json:
        if parameters["Qualifier"] != "$LATEST.PUBLISHED":
            return super().get_function_scaling_config(parameters)
        return {"AppliedFunctionScalingConfig": {"MinExecutionEnvironments": self.latest_published}}

    def put_function_scaling_config(self, parameters: Json) -> Json:
        answer = super().put_function_scaling_config(parameters)
        sleeps = parameters["FunctionScalingConfig"]["MinExecutionEnvironments"] == 0
        self._come_to(parameters["Qualifier"], *(("Deactivated", "Deactivating") if sleeps else ("Active", "Pending")))
        return answer

    def _come_to(self, version: str, state: str, meanwhile: str) -> None:
        self.states[version] = meanwhile
        self.clock.after(WAKES_AFTER, lambda: self.states.update({version: state}))

    def delete_function(self, parameters: Json) -> Json:
        function, version = self._function(parameters), parameters["Qualifier"]
        if any(each.version == version and each.status == "RUNNING" for each in function.executions):
            raise AwsError("ResourceConflictException", "executions run on it")
        return super().delete_function(parameters)

    def invoke(self, parameters: Json) -> Json:
        function, qualifier = self._function(parameters), parameters["FunctionName"].rpartition(":")[2]
        if self.states.get(qualifier, "Active") != "Active":
            raise AwsError("ResourceConflictException", f"{qualifier} is {self.states[qualifier]}")
        event, name = json.loads(parameters["Payload"]), parameters["DurableExecutionName"]
        for each in function.executions:
            if each.name == name and self.is_idempotent:
                if event != {"billId": name}:
                    raise AwsError("DurableExecutionAlreadyStartedException", name)
                return {"StatusCode": 202, "DurableExecutionArn": each.arn}
        self.clock.sleep(1)  # no two start in the same moment
        return super().invoke(parameters)

    def list_durable_executions_by_function(self, parameters: Json) -> Json:
        if parameters.get("MaxItems") != 1:
            return super().list_durable_executions_by_function(parameters)
        found = sorted(self._function(parameters).executions, key=lambda each: each.started, reverse=True)
        number = int(parameters.get("Marker", 0))
        one = {"DurableExecutionArn": found[number].arn, "DurableExecutionName": found[number].name}
        one |= {"FunctionArn": "x", "StartTimestamp": found[number].started, "Status": found[number].status}
        return {"DurableExecutions": [one], "NextMarker": str(number + 1)}

    def get_durable_execution(self, parameters: Json) -> Json:
        answer = super().get_durable_execution(parameters)
        return answer if parameters["IncludeExecutionData"] else {key: answer[key] for key in answer if key != "Result"}

    def get_capacity_provider(self, parameters: Json) -> Json:
        assert parameters["CapacityProviderName"] == PROVIDER
        return {
            "CapacityProvider": {
                "CapacityProviderArn": PROVIDER,
                "State": "Active",
                "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []},
                "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "x"},
                "PropagateTags": {"Mode": "Explicit", "ExplicitTags": TAGS},
            }
        }


class ObservedAws(FakeAws):
    """An account with one function, deployed a day ago. `changes` and `instead` are of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.lambda_ = ObservedLambda(self.account, self.region, self.clock)
        self.formation = FakeCloudFormation(self.account, self.region, self.clock, self.lambda_.forget)
        self.changes: dict[str, Callable[[Json], object]] = {}
        self.instead: dict[str, Callable[[Json], Json | None]] = {}
        tagged = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        self.instances: list[Json] = [{"InstanceId": "i-1", "InstanceType": "m7g.xlarge", "Tags": tagged}]
        self.names = {quotas.VCPUS: "Running On-Demand Standard instances", quotas.STARTS: "Durable executions started"}
        self._deploy()

    def _deploy(self) -> None:
        tags, by_role = naming.tags(WHOLE), {"RoleARN": ROLE}
        self.formation.stack(PLATFORM, tags, outputs={"CapacityProviderArn": PROVIDER}, **by_role)
        self.formation.stack(NAME, tags, outputs={"LogGroupName": GROUP}, **by_role)
        kinds = {PLATFORM: ["Lambda::CapacityProvider"], NAME: ["Lambda::Function", "SecretsManager::Secret"]}
        for stack, types in kinds.items():
            known = [
                {
                    "LogicalResourceId": each.rpartition(":")[2],
                    "ResourceType": f"AWS::{each}",
                    "PhysicalResourceId": f"arn:aws:x:{each.rpartition(':')[2]}-suffix",
                }
                for each in types
            ]
            self.formation.resources[stack] = cast("list[Json]", known)
            in_sync = {"StackResourceDriftStatus": "IN_SYNC"}
            self.formation.drifts[stack] = [each | in_sync for each in known]
        self.attached[ROLE.rpartition("/")[2]] = [naming.execution_policy(WHOLE)]
        self.tagged.append(("arn:aws:lambda:x", tags | {STACK_ID: "x", LOGICAL_ID: "x"}))
        self.lambda_.function(NAME, "1").versions["1"] = {"least": 1, "most": 4}
        self.lambda_.functions[NAME].behaviour["1"] = self.try_once
        self.lambda_.on_provider[PROVIDER] = [f"{self.lambda_.arn_of(NAME)}:1"]
        self.logged[GROUP] = []

    @property
    def function(self) -> FakeFunction:
        return self.lambda_.functions[NAME]

    def try_once(self, execution: FakeExecution) -> None:
        """Let the first execution end at once and be logged, and those after it run on."""
        if len(self.function.executions) > 1:
            execution.events = HISTORY[:2]
            return
        bill(execution)
        for line in ({"requestId": LAST, "message": "paid"}, {"requestId": LAST, "executionArn": execution.arn}):
            when = round(at(6).timestamp() * 1000)
            self.logged[GROUP].append({"message": json.dumps(line), "timestamp": when, "ingestionTime": when + 2_000})

    def answer(self, model: Any, context: Json, **more: Any) -> tuple[Any, Json]:
        try:
            other = self.instead.get(model.name, lambda _: None)(context["parameters"])
        except AwsError as error:
            return SimpleNamespace(status_code=400), {"Error": {"Code": error.code, "Message": str(error)}}
        if other is not None:
            return SimpleNamespace(status_code=200), deepcopy(other)
        status, answer = super().answer(model, context, **more)
        if status.status_code == OK and (change := self.changes.get(model.name)):
            change(answer)
        return status, answer

    def describe_instances(self, _: Json) -> Json:
        return {"Reservations": [{"Instances": self.instances}]}

    def describe_instance_types(self, parameters: Json) -> Json:
        types = [{"InstanceType": name, "VCpuInfo": {"DefaultVCpus": 4}} for name in parameters["InstanceTypes"]]
        return {"InstanceTypes": types}

    def describe_volumes(self, _: Json) -> Json:
        return {"Volumes": []}

    def get_parameter(self, _: Json) -> Json:
        return {"Parameter": {"Value": PROVIDER}}

    def get_service_quota(self, parameters: Json) -> Json:
        name = next(name for quota, name in self.names.items() if quota.code == parameters["QuotaCode"])
        return {"Quota": {"QuotaName": name, "Value": 300.0}}


HISTORY: list[Any] = [
    event("ExecutionStarted", 0),
    event("StepStarted", 0.1, "check"),
    event("StepSucceeded", 0.1, "check"),
    event("WaitStarted", 0.2, "pause"),
    invocation(0, 0.3, RequestId=FIRST),
    event("WaitSucceeded", 5.2, "pause"),
    event("StepStarted", 5.3, "pay"),
    event("StepSucceeded", 5.4, "pay"),
    invocation(5.2, 5.5, RequestId=LAST),
    event("ExecutionSucceeded", 5.5),
]
POLLED = [
    event("StepStarted", 5.41, "poll", SubType="WaitForCondition"),
    event("StepSucceeded", 5.42, "poll", StepSucceededDetails={"RetryDetails": {"NextAttemptDelaySeconds": 1}}),
    event("StepStarted", 5.43, "poll", SubType="WaitForCondition"),
    event("StepSucceeded", 5.44, "poll"),
]


def bill(execution: FakeExecution) -> None:
    """Let an execution keep its contract."""
    execution.status, execution.events = "SUCCEEDED", HISTORY
    paid = {"billId": execution.name, "status": "paid", "checkedAt": 1000, "paidAt": 6000}
    execution.result = json.dumps(paid)


def asked(aws: FakeAws, *options: str, on: Environment = WHOLE) -> Report:
    """Ask what the options say."""
    return run(contract, target(aws, on), "--yes", *options)


def outcomes(report: Report) -> dict[str, Outcome]:
    """Return what came of each check."""
    return {each["name"]: each["outcome"] for each in facts(report)["checks"]}
