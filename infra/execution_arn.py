"""The ARN of a durable execution: which function and version it runs on, its name, and its id.

The interpreter of the local AWS reads this as well, which has the standard library alone.
"""

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"(?P<function>arn:[^:]+:lambda:[^:]+:[0-9]+:function:[^:/]+):(?P<version>[^:/]+)"
    r"/durable-execution/(?P<name>[^/]+)/(?P<id>[^/]+)"
)


@dataclass(frozen=True)
class ExecutionArn:
    """The parts of such an ARN (Lambda API, DurableExecutionArn)."""

    function: str
    version: str
    name: str
    id: str

    @classmethod
    def parse(cls, text: str) -> "ExecutionArn":
        """Read one.

        Raises:
            ValueError: it is not the ARN of a durable execution.
        """
        match = _FORM.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not the ARN of a durable execution")
        return cls(**match.groupdict())

    def __str__(self) -> str:
        return f"{self.function}:{self.version}/durable-execution/{self.name}/{self.id}"
