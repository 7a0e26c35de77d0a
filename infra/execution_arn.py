"""The ARNs of durable executions: the one place that makes and reads them.

The local AWS's own interpreter reads this too, so it needs nothing but the standard library.
"""

import re
from dataclasses import dataclass
from typing import Self

# Lambda API, DurableExecutionArn.
_PATTERN = re.compile(
    r"(?P<function_arn>arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9_-]+)"
    r":(?P<version>\$LATEST(?:\.PUBLISHED)?|[0-9]+)"
    r"/durable-execution/(?P<name>[a-zA-Z0-9_-]+)/(?P<id>[a-zA-Z0-9_-]+)"
)


@dataclass(frozen=True)
class ExecutionArn:
    """What identifies a durable execution. As a string it is the ARN."""

    function_arn: str
    """The ARN of its function, without a qualifier."""
    version: str
    """The version that it runs on to its end: a number, `$LATEST` or `$LATEST.PUBLISHED`."""
    name: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ARN.

        Raises:
            ValueError: it is none of a durable execution.
        """
        match = _PATTERN.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not the ARN of a durable execution")
        return cls(**match.groupdict())

    @property
    def version_arn(self) -> str:
        """The ARN of the function's version that it runs on."""
        return f"{self.function_arn}:{self.version}"

    def __str__(self) -> str:
        return f"{self.version_arn}/durable-execution/{self.name}/{self.id}"
