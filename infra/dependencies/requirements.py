"""Requirements as requirements.in and pyproject.toml write them, and the pins of locks that uv wrote.

As much of PEP 440 and PEP 508 as telling them apart takes: what it can't read counts as agreeing, since uv judges it as
it resolves. It runs before anything is installed: standard library only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:~=|===?|!=|<=?|>=?)\s*[A-Za-z0-9.*+!-]+"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?P<clauses>{_CLAUSE}(?:\s*,\s*{_CLAUSE})*)?"
)
_PIN = re.compile(rf"(?m)^(?P<name>{_NAME})(?:\[(?P<extras>[^\]]*)\])?==(?P<version>[^\s;\\]+).*(?:\n[ \t].*)*")
_VERSION = re.compile(r"(?:(\d+)!)?(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?(?:\+.*)?")


@dataclass(frozen=True)
class Requirement:
    """A package that somebody asks for.

    Args:
        text: as it is written, without its comment.
        name: the package's, normalized.
        extras: which of its extras.
        clauses: what its version must be, such as ~=2.14.
    """

    text: str
    name: str
    extras: frozenset[str]
    clauses: tuple[str, ...]

    def allows(self, version: str) -> bool:
        """Tell whether a version is one of those that it asks for."""
        return all(allows(clause, version) for clause in self.clauses)


@dataclass(frozen=True)
class Pin:
    """A package of a lock, with the names of the sources that ask for it, and of the packages."""

    name: str
    extras: frozenset[str]
    version: str
    origins: frozenset[str]


def normalized(name: str) -> str:
    """Return the name under which registries know a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(line: str) -> Requirement | None:
    """Return the requirement on a line; None where there is none: a comment, an option, or an empty line."""
    text = re.sub(r"(^|\s)#.*", "", line).strip()
    match = _REQUIREMENT.match(text)
    if not match:
        return None
    clauses = tuple(re.findall(_CLAUSE, match["clauses"] or ""))
    return Requirement(text, normalized(match["name"]), _extras(match["extras"]), clauses)


def is_plain(text: str) -> bool:
    """Tell whether a text is a name, maybe with extras and versions, and nothing else."""
    return _REQUIREMENT.fullmatch(text) is not None


def pins(lock: str) -> Iterator[Pin]:
    """Yield what a lock pins."""
    for match in _PIN.finditer(lock):
        origins = re.findall(r"(?m)^\s+#\s+(?:via )?(\S.*)", match[0])
        yield Pin(normalized(match["name"]), _extras(match["extras"]), match["version"], frozenset(origins) - {"via"})


def allows(clause: str, version: str) -> bool:
    """Tell whether a clause such as ~=2.14 allows a version."""
    operator, wanted = re.findall(r"([~=!<>]+)\s*(\S+)", clause)[0]
    plain = wanted.removesuffix(".*")
    found, given = _key(version), _key(plain)
    if operator == "===" or found is None or given is None:
        return operator != "===" or version == wanted
    if operator == "~=":
        return found >= given and _starts(version, _release(plain)[:-1])
    if plain != wanted:
        return _starts(version, _release(plain)) == (operator == "==")
    return {
        "==": found == given,
        "!=": found != given,
        "<=": found <= given,
        ">=": found >= given,
        "<": found < given,
        ">": found > given,
    }[operator]


def compatible(version: str) -> str:
    """Return the constraint that lets a package move to what its versions call compatible, as far as numbers say so."""
    release = _release(version)
    # Before 1.0, what breaks is told by the second number.
    kept = release[: 2 if release[:1] != [0] else 3]
    return f"~={'.'.join(map(str, kept))}" if len(kept) > 1 else f">={version}"


def _extras(text: str | None) -> frozenset[str]:
    return frozenset(normalized(name.strip()) for name in (text or "").split(",") if name.strip())


def _starts(version: str, release: list[int]) -> bool:
    return (_release(version) + [0] * len(release))[: len(release)] == release


def _release(version: str) -> list[int]:
    match = _VERSION.match(version)
    return [int(part) for part in match[2].split(".")] if match else []


def _key(version: str) -> tuple[Any, ...] | None:
    """Return what versions are in the order of."""
    match = _VERSION.fullmatch(version)
    if not match:
        return None
    epoch, release, phase, number, post, dev = match.groups()
    numbers = [int(part) for part in release.split(".")]
    while numbers and not numbers[-1]:  # 2.0 is 2
        numbers.pop()
    unfinished = "" if dev and not post else "z"  # before every phase, or after all
    return (
        int(epoch or 0),
        numbers,
        (phase or unfinished, int(number or 0)),
        int(post) if post else -1,
        (0, int(dev)) if dev else (1, 0),
    )
