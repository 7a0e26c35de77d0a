"""How many execution environments the versions of a function have. One that has none is asleep, and runs nothing.

Least and most are 0 together, which deactivates a version: no traffic wakes it, and executions on it could never
resume (Lambda Developer Guide, scaling of Managed Instances).
"""

from typing import TYPE_CHECKING

from infra import limits
from infra.aws.clock import Clock
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef, FunctionScalingConfigTypeDef

POLL_SECONDS = 2
LEAST, MOST = "MinExecutionEnvironments", "MaxExecutionEnvironments"


class Scaling:
    """The scaling of each version of a function.

    Args:
        client: of its account and region.
        function: what it is called on AWS.
        clock: what is waited on.
    """

    def __init__(self, client: "LambdaClient", function: str, clock: Clock) -> None:
        self._client = client
        self._function = function
        self._clock = clock

    def floor(self, version: str) -> int:
        """Return how many execution environments a version keeps at least, and so is paid for; 0 of one asleep."""
        return self.asked(version).get(LEAST, limits.DEFAULT_LEAST_ENVIRONMENTS)

    def set(self, version: str, least: int, most: int) -> None:
        """Set how many execution environments a version has.

        Raises:
            CommandError: there is no such version.
        """
        try:
            self.put(version, {LEAST: least, MOST: most})
        except self._client.exceptions.ResourceNotFoundException as error:
            raise CommandError(f"{self._function} has no version {version} to go to") from error

    def asked(self, version: str) -> "FunctionScalingConfigTypeDef":
        """Return what was asked for last, which is applied within minutes, or what applies where nothing was."""
        answer = self._client.get_function_scaling_config(FunctionName=self._function, Qualifier=version)
        return answer.get("RequestedFunctionScalingConfig") or answer.get("AppliedFunctionScalingConfig") or {}

    def put(self, version: str, wanted: "FunctionScalingConfigTypeDef") -> None:
        """Ask for a scaling, both halves of it: one that is left out would go back to Lambda's default."""
        self._client.put_function_scaling_config(
            FunctionName=self._function, Qualifier=version, FunctionScalingConfig=wanted
        )

    def await_awake(self, version: str, deadline_seconds: float, since: float | None = None) -> None:
        """Wait until a version that has environments can be invoked.

        Args:
            version: which.
            deadline_seconds: how long that may take.
            since: from when on the clock that is counted; from now on unless told otherwise.

        Raises:
            CommandError: it could not within the deadline, or failed; its scaling is left as it is.
        """
        started = self._clock.monotonic() if since is None else since
        while not self.is_awake(version):
            if self._clock.monotonic() - started >= deadline_seconds:
                raise CommandError(
                    f"{self._function}:{version} is not awake after {deadline_seconds:.0f} s, and may be soon: "
                    f"{_told(self._configuration(version))}"
                )
            self._clock.sleep(POLL_SECONDS)

    def is_awake(self, version: str) -> bool:
        """Tell whether it can be invoked; either half may be read late, so that both have to say so.

        UNCONFIRMED (contract: a_version_wakes_within_minutes): how a version shows that wakes. The API knows the states
        Deactivated and Pending, and a scaling that is applied later than it was asked for.
        """
        configuration = self._configuration(version)
        state = configuration.get("State", "Active")
        if state == "Failed":
            raise CommandError(f"{self._function}:{version} does not wake: {_told(configuration)}")
        answer = self._client.get_function_scaling_config(FunctionName=self._function, Qualifier=version)
        return state == "Active" and answer.get("AppliedFunctionScalingConfig", {}).get(MOST, 1) > 0

    def _configuration(self, version: str) -> "FunctionConfigurationResponseTypeDef":
        return self._client.get_function_configuration(FunctionName=self._function, Qualifier=version)


def _told(configuration: "FunctionConfigurationResponseTypeDef") -> str:
    found = (configuration.get("State"), configuration.get("StateReasonCode"), configuration.get("StateReason"))
    return ", ".join(filter(None, found))
