import pytest

from infra.dependencies.requirements import allows, compatible, is_plain, pins, read


@pytest.mark.parametrize(
    ("clause", "version"),
    [
        ("~=2.14", "2.14"),
        ("~=2.14", "2.99.1"),
        ("~=0.17.6", "0.17.9"),
        ("==1.0", "1"),
        ("==1.4.*", "1.4.9"),
        ("!=1.4.*", "1.5"),
        (">=2", "2.0.post1"),
        (">= 2.0b1", "2.0rc1"),
        (">1.9", "1.10"),
        ("<2", "2.0a1"),
        ("<=2024.1", "2023.12.31"),
        ("==1!1.0", "1!1"),
        ("===weird", "weird"),
        (">=not-a-version", "1"),
    ],
)
def test_a_clause_allows_the_versions_that_it_asks_for(clause: str, version: str) -> None:
    assert allows(clause, version)


@pytest.mark.parametrize(
    ("clause", "version"),
    [
        ("~=2.14", "2.13.9"),
        ("~=2.14", "3.0"),
        ("~=0.17.6", "0.18"),
        ("==1.0", "1.0.1"),
        ("==1.4.*", "1.40"),
        ("!=1.4.*", "1.4.2"),
        (">=2", "2.0rc1"),
        (">=2.0", "2.0.dev3"),
        ("<1.10", "1.10"),
        (">=1!0", "5"),
        ("===1.0", "1"),
    ],
)
def test_a_clause_allows_no_other(clause: str, version: str) -> None:
    assert not allows(clause, version)


@pytest.mark.parametrize("line", ["", "# a reason", "  # one", "-r other.in", "--no-binary :all:"])
def test_a_line_without_a_package_is_no_requirement(line: str) -> None:
    assert read(line) is None


def test_a_requirement_has_a_normalized_name_extras_and_clauses() -> None:
    found = read("Some.Package_x[One, two] >=2, !=2.3 ; python_version < '3.12'  # why")
    assert found
    assert (found.name, found.extras, found.clauses) == ("some-package-x", {"one", "two"}, (">=2", "!=2.3"))
    assert found.text == "Some.Package_x[One, two] >=2, !=2.3 ; python_version < '3.12'"
    assert found.allows("2.4")
    assert not found.allows("2.3")


@pytest.mark.parametrize("text", ["six", "six[a]", "six>=1,<2", "six ~= 1.0", "a.b_c"])
def test_a_name_with_extras_and_versions_is_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text", ["", "six; x", "six @ file:///six", "-r six", "six # why", "six six", "six>=", "../six"]
)
def test_everything_else_is_not(text: str) -> None:
    assert not is_plain(text)


LOCK = """\
six==1.17.0 \\
    --hash=sha256:aa
    # via
    #   -r requirements.in
    #   other
other[one, two]==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via own (pyproject.toml:group)
"""


def test_pins_of_a_lock_have_versions_and_those_who_ask_for_them() -> None:
    six, other = pins(LOCK)
    assert (six.name, six.version, six.origins) == ("six", "1.17.0", {"-r requirements.in", "other"})
    assert (other.name, other.version, other.extras) == ("other", "2.0", {"one", "two"})
    assert other.origins == {"own (pyproject.toml:group)"}


@pytest.mark.parametrize(
    ("version", "constraint"),
    [("2.14.4", "~=2.14"), ("0.17.6", "~=0.17.6"), ("0.17", "~=0.17"), ("2024.1.0", "~=2024.1"), ("5", ">=5")],
)
def test_what_is_compatible_is_told_by_the_first_number_that_is_not_zero(version: str, constraint: str) -> None:
    assert compatible(version) == constraint
