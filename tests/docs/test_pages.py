"""Pages lead where they say, and their commands, also those within sentences, are ones that there are."""

import re
import shlex
from pathlib import Path

import pytest

import infra.local
from infra import ROOT
from infra.pipeline.__main__ import parser
from infra.policies.purposes import PURPOSES, github_environment
from tests.docs.names import is_sample
from tests.docs.pages import commands, headings, links, mentions, pages
from tests.infra.fakes.environments import DEV

MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = [path.relative_to(ROOT).as_posix() for path in pages()]
# What a fork may have removed.
TEAMS = ("project.toml", "environments/", "functions/", "tests/functions/")
OF_MAKE = [
    *((str(each), each.text) for each in commands() if each.text.startswith("make ")),
    *((path.name, text) for path in pages() for text in mentions(path) if text.startswith("make ")),
]


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    path = ROOT / page
    for link in (link for link in links(path) if not link.startswith("https://")):
        file, _, heading = link.partition("#")
        found = (path.parent / file).resolve() if file else path
        place = found.relative_to(ROOT.resolve()).as_posix() if found.is_relative_to(ROOT.resolve()) else file
        if not place.startswith(TEAMS) or is_sample():
            assert found.exists(), f"{page} links to {link}, and there is no {place}"
        if heading:
            assert heading in headings(found), f"{page} links to {link}; {place} has {headings(found)}"


@pytest.mark.parametrize(("where", "command"), OF_MAKE, ids=lambda value: value)
def test_each_make_target_exists_and_knows_its_variables(where: str, command: str) -> None:
    target, *variables = shlex.split(command)[1:]
    assert re.search(rf"^{re.escape(target)}:.*## ", MAKEFILE, re.MULTILINE), f"{where}: make has no target {target}"
    for variable in variables:
        name = variable.partition("=")[0]
        assert re.search(rf"\$\((call given,)?{name}\)|\b{name}\b := ", MAKEFILE), f"{where}: make knows no {name}"


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_the_pipeline_is_understood(page: str) -> None:
    found = [each.text for each in commands() if each.page == page] + mentions(ROOT / page)
    for command in found:
        _, _, of_pipeline = command.partition("python -m infra.pipeline ")
        if of_pipeline and of_pipeline != "--help":
            try:
                parser().parse_args(shlex.split(of_pipeline))
            except SystemExit:
                pytest.fail(f"{page}: the pipeline does not understand `{command}`")


def test_the_front_page_is_one_that_is_read() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 100, f"README.md has {len(lines)} lines; what does not fit belongs into docs/"
    assert {"make run", "make test"} <= {each.text for each in commands() if each.page == "README.md"}


def test_every_page_is_reached_from_the_front_page() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        reached.add(path := waiting.pop())
        found = {(path.parent / link.partition("#")[0]).resolve() for link in links(path) if ".md" in link}
        waiting += [each for each in found if each.exists() and each not in reached]
    missed = [page for page in PAGES if (ROOT / page).resolve() not in {each.resolve() for each in reached}]
    assert not missed, f"{missed}: no page that README.md leads to has a link to it"


def test_what_the_local_aws_can_not_show_is_told_in_its_own_words() -> None:
    _, limits = (infra.local.__doc__ or "").split("What it cannot show:\n")
    assert limits.strip() in (ROOT / "docs" / "local-limits.md").read_text()


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"^\| `([^`]*[./][^`]*)` \|", (ROOT / "docs" / "design.md").read_text(), re.MULTILINE))),
)
def test_each_path_of_the_tree_exists(path: str) -> None:
    assert list(ROOT.glob(path))


def test_every_github_environment_of_a_role_is_among_those_to_be_made() -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    told = [
        name.replace("ENVIRONMENT", DEV.name) for name in re.findall(r"^\| `(ENVIRONMENT.*?)` \|", page, re.MULTILINE)
    ]
    assert told == [github_environment(DEV, purpose) for purpose in PURPOSES]
