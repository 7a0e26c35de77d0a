"""What stacks hold, and on which of their resources an action is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra import naming
from infra.environment import Environment
from infra.policies import authorities
from infra.policies.authorities import plain
from infra.policies.resources import ANY, names_of_functions, names_of_platform, resolve

Resources = Mapping[str, Mapping[str, Any]]
"""The resources of a stack, as its template has them, by their logical ids."""


@dataclass(frozen=True)
class Templates:
    """What the stacks of an environment hold.

    Args:
        functions: their resources, by the functions' folders; those of a preview's stacks where there are previews.
        platform: the resources of the platform, which is none of a workflow's where there are previews.
    """

    functions: Mapping[str, Resources] = field(default_factory=dict[str, Resources])
    platform: Resources = field(default_factory=dict[str, Mapping[str, Any]])


# What stands before the names, which the excerpt of the reference leaves out: an event bus, and a group.
_BEFORE = {("events", "rule-on-custom-event-bus"): "*/", ("scheduler", "schedule"): "*/"}
# Names that CloudFormation makes up without the stack's. Those of parameters are in the source of their resource
# provider; AWS documents those of secrets nowhere, and their names show it.
_BEGINNINGS = {"AWS::SSM::Parameter": "CFN-{:.20}*", "AWS::SecretsManager::Secret": "{}-*"}
# Whose ARNs are the paths of its API, with random ids in them.
_WHOLE = {"apigateway": "arn:aws:apigateway:{region}::/*"}


@dataclass(frozen=True)
class Places:
    """The resources of stacks as policies name them: by the beginnings of names, where they have names.

    The names of others are random, such as those of event source mappings, keys of KMS and APIs: there the account and
    region are the limit, and for EC2 the tags (infra/policies/network.py).

    Args:
        environment: whose stacks.
        names: how the names begin of what they make.
        made: what is in them, by the file that it comes of.
    """

    environment: Environment
    names: dict[str, str]
    made: Mapping[str, Resources]

    @classmethod
    def of_functions(cls, environment: Environment, templates: Templates) -> "Places":
        """Return the resources of the stacks of an environment's functions."""
        made = {f"functions/{name}/infrastructure.py": found for name, found in templates.functions.items()}
        return cls(environment, names_of_functions(environment), made)

    @classmethod
    def of_platform(cls, environment: Environment, templates: Templates) -> "Places":
        """Return the resources of its platform."""
        return cls(environment, names_of_platform(environment), {"infra/stacks/platform.py": templates.platform})

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
        """Return those resources of an action whose names tell that they are of these stacks."""
        return [place for place in self.of(action) if place.endswith("*") and not place.endswith(("/*", ":*"))]

    def _filled(self, arns: list[str]) -> list[str]:
        return sorted({*resolve(tuple(arns), self.names)})

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
            given = self._given_names(kind)
            yield from given.values()
            unnamed = self._of_type(kind).keys() - given.keys()
            yield from (_BEGINNINGS[kind].format(name) for name in sorted(unnamed) if kind in _BEGINNINGS)

    def _makers(self, service: str, arn: str) -> list[str]:
        """Return the resource types that make what has such an ARN."""
        region = self.environment.region
        alike = authorities.kinds_like(service, arn)
        return sorted({found for kind in alike if (found := authorities.maker(service, kind, region))})

    def _given_names(self, kind: str) -> dict[str, str]:
        """Return names that a template gives, and that do not begin as those do that CloudFormation makes up."""
        key = authorities.name_property(kind, self.environment.region)
        beginnings = tuple(f"{each}-" for each in (self.names["stack"], naming.whole(self.environment)))
        given = {of: each.get("Properties", {}).get(key) for of, each in self._of_type(kind).items()}
        names = {of: name.lstrip("/") for of, name in given.items() if isinstance(name, str)}
        return {of: name for of, name in names.items() if not name.startswith(beginnings)}

    def _of_type(self, kind: str) -> Resources:
        return {name: each for made in self.made.values() for name, each in made.items() if each["Type"] == kind}
