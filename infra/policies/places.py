"""On which resources of functions' stacks an action is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from infra.environment import Environment
from infra.policies import authorities
from infra.policies.authorities import plain
from infra.policies.resources import ANY, names_of_functions, resolve

Resources = Mapping[str, Mapping[str, Any]]
Added = Mapping[str, Resources]
"""The resources of functions' stacks, as their templates have them, by the functions' folders."""
NOTHING: Added = MappingProxyType({})

# What stands before the names, which the excerpt of the reference leaves out: an event bus, and a group.
_BEFORE = {("events", "rule-on-custom-event-bus"): "*/", ("scheduler", "schedule"): "*/"}
# Names that CloudFormation makes up without the stack's. Those of parameters are in the source of their resource
# provider; AWS documents those of secrets nowhere, and their names show it.
_BEGINNINGS = {"AWS::SSM::Parameter": "CFN-{:.20}*", "AWS::SecretsManager::Secret": "{}-*"}
# Whose ARNs are the paths of its API, with random ids in them.
_WHOLE = {"apigateway": "arn:aws:apigateway:{region}::/*"}


@dataclass(frozen=True)
class Places:
    """The resources of functions' stacks as policies name them: by the beginnings of names, where they have names.

    The names of others are random, such as those of event source mappings, keys of KMS and APIs: there the account and
    region are the limit.

    Args:
        environment: whose functions.
        added: what is in their stacks.
    """

    environment: Environment
    added: Added

    def of(self, action: str, made: str = "") -> list[str]:
        """Return the resources of an action.

        Args:
            action: of IAM, with or without wildcards. What can be allowed on no resource by itself is allowed on all.
            made: the resource type to whose resources it is done, if it is done to one's alone.
        """
        service, kinds = authorities.service_of(action), authorities.kinds_of(action)
        if service in _WHOLE:
            return self._filled([_WHOLE[service]])
        kinds = [kind for kind in kinds if made and self._is_made(service, kind, made)] or kinds
        return self._filled([arn for kind in kinds for arn in self._arns(service, kind)]) or [*ANY]

    def named(self, action: str) -> list[str]:
        """Return those resources of an action whose names tell that they are of functions' stacks."""
        return [place for place in self.of(action) if place.endswith("*") and not place.endswith(("/*", ":*"))]

    def _filled(self, arns: list[str]) -> list[str]:
        return sorted({*resolve(tuple(arns), names_of_functions(self.environment))})

    def _is_made(self, service: str, kind: str, made: str) -> bool:
        """Tell whether a resource is made by a type, or belongs to it as a queue's policy does to a queue."""
        name = plain(made.rpartition("::")[2])
        if name.startswith(plain(kind)) or plain(kind).startswith(name):
            return True
        return any(made in self._makers(service, arn) for arn in authorities.arns(service, kind))

    def _arns(self, service: str, kind: str) -> Iterator[str]:
        for arn in authorities.arns(service, kind):
            beginning, wildcard, _ = arn.partition(".*")
            before = _BEFORE.get((service, kind), "")
            names = [f"{before}{name}" for name in self._names(service, arn)] if wildcard else [""]
            yield from (f"{beginning}{name}" for name in names)

    def _names(self, service: str, arn: str) -> Iterator[str]:
        region = self.environment.region
        named = [each for each in self._makers(service, arn) if authorities.name_property(each, region)]
        yield "{stack}-*" if named else "*"
        for kind in named:
            if kind in _BEGINNINGS:
                yield from (_BEGINNINGS[kind].format(name) for name in self._ids(kind))

    def _makers(self, service: str, arn: str) -> list[str]:
        """Return the resource types that make what has such an ARN."""
        region = self.environment.region
        alike = authorities.kinds_like(service, arn)
        return sorted({found for kind in alike if (found := authorities.maker(service, kind, region))})

    def _ids(self, kind: str) -> list[str]:
        return sorted({name for each in self.added.values() for name, found in each.items() if found["Type"] == kind})
