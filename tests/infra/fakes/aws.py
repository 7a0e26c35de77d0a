"""An AWS in memory, behind boto3's real clients: it refuses what AWS refuses, and pages whatever has pages.

botocore checks every request against its model before it comes here, and every answer is checked on its way back.
State belongs to one account and one region: whoever asks in another finds nothing.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, cast

from boto3.session import Session
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.session import Session as CoreSession
from botocore.validate import validate_parameters

from tests.infra.fakes.base import Answer, AwsError, FakeClock, page
from tests.infra.fakes.cloudformation import FakeCloudFormation
from tests.infra.fakes.lambda_ import FakeLambda

# Reading the models of AWS's services is most of what a client costs, so that it is done once.
_MODELS = create_loader()


class FakeAws:
    """One account and region. The attributes are what there is; a test changes them as it likes."""

    def __init__(self, account: str = "111111111111", region: str = "eu-west-1") -> None:
        self.account, self.region = account, region
        self.clock = FakeClock()
        self.lambda_ = FakeLambda(account, region, self.clock)
        self.formation = FakeCloudFormation(account, region, self.clock, self.lambda_.forget)
        self.tagged: list[tuple[str, dict[str, str]]] = []
        self.policies: set[str] = set()
        self.attached: dict[str, list[str]] = {}
        self.providers: dict[str, list[str]] = {}
        self.logged: dict[str, list[Answer]] = {}  # the events of log groups
        self.calls: list[tuple[str, Answer]] = []
        self._hooks: list[tuple[str, int, Callable[[], object]]] = []

    def session(self, region_name: str | None = None) -> Session:
        """Return a session whose clients are answered from here; one of another region finds nothing."""
        region = region_name or self.region
        there = self if region == self.region else FakeAws(self.account, region)
        core = CoreSession()
        core.register_component("data_loader", _MODELS)
        session = Session("key", "secret", region_name=region, botocore_session=core)
        session.events.register("before-parameter-build.*.*", _remember)
        session.events.register("before-call.*.*", cast("Any", there.answer))
        return session

    def on(self, operation: str, action: Callable[[], object], *, call: int = 1) -> None:
        """Let something happen just before the given call of an operation from now on; what it raises is the answer."""
        self._hooks.append((operation, self.count(operation) + call, action))

    def deny(self, operation: str, code: str = "AccessDeniedException") -> None:
        """Refuse the next call of an operation."""

        def refuse() -> None:
            raise AwsError(code, f"no {operation}")

        self.on(operation, refuse)

    def count(self, operation: str) -> int:
        """Return how often an operation was called."""
        return sum(each == operation for each, _ in self.calls)

    def asked(self, operation: str) -> list[Answer]:
        """Return with which parameters an operation was called."""
        return [parameters for each, parameters in self.calls if each == operation]

    def answer(self, model: Any, context: Answer, **_: Any) -> tuple[Any, Answer]:
        operation, parameters = model.name, context["parameters"]
        self.calls.append((operation, parameters))
        try:
            for hook in [each for each in self._hooks if each[:2] == (operation, self.count(operation))]:
                hook[2]()
            services: dict[str, object] = {"lambda": self.lambda_, "cloudformation": self.formation}
            service = services.get(model.service_model.service_name, self)
            # What was answered once does not change with what there is.
            answer = deepcopy(getattr(service, xform_name(operation))(parameters))
        except AwsError as error:
            return SimpleNamespace(status_code=400), {
                "Error": {"Code": error.code, "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
        if model.output_shape:
            validate_parameters(answer, model.output_shape)
        # A copy: what happens later is not part of an answer.
        return SimpleNamespace(status_code=200), {**deepcopy(answer), "ResponseMetadata": {"HTTPStatusCode": 200}}

    def get_caller_identity(self, _: Answer) -> Answer:
        return {"Account": self.account, "Arn": f"arn:aws:iam::{self.account}:root", "UserId": "root"}

    def get_resources(self, parameters: Answer) -> Answer:
        wanted = {each["Key"]: each["Values"] for each in parameters.get("TagFilters", [])}
        found = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in self.tagged
            if all(tags.get(key) in values for key, values in wanted.items())
        ]
        return page(found, parameters, "ResourceTagMappingList", "PaginationToken", "PaginationToken")

    def filter_log_events(self, parameters: Answer) -> Answer:
        group, start, end = (parameters[key] for key in ("logGroupName", "startTime", "endTime"))
        if group not in self.logged:
            raise AwsError("ResourceNotFoundException", f"The specified log group does not exist: {group}")
        # Of a pattern only what it compares with counts.
        wanted = re.findall(r'"([^"]+)"', parameters["filterPattern"])
        found = [
            event
            for event in self.logged[group]
            if start <= event["timestamp"] <= end and any(each in event["message"] for each in wanted)
        ]
        return page(found, parameters, "events", "nextToken", "nextToken")

    def get_policy(self, parameters: Answer) -> Answer:
        if parameters["PolicyArn"] not in self.policies:
            raise AwsError("NoSuchEntity", f"no {parameters['PolicyArn']}")
        return {"Policy": {"Arn": parameters["PolicyArn"]}}

    def list_attached_role_policies(self, parameters: Answer) -> Answer:
        role = parameters["RoleName"]
        if role not in self.attached:
            raise AwsError("NoSuchEntity", f"no {role}")
        return {"AttachedPolicies": [{"PolicyName": name} for name in self.attached[role]]}

    def get_open_id_connect_provider(self, parameters: Answer) -> Answer:
        arn = parameters["OpenIDConnectProviderArn"]
        if arn not in self.providers:
            raise AwsError("NoSuchEntity", f"no {arn}")
        return {"ClientIDList": self.providers[arn]}


def _remember(params: Answer, context: Answer, **_: Any) -> None:
    context["parameters"] = dict(params)
