"""What is kept of earlier syntheses, and that it is what the pipeline's commands make."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.aws.assembly import Assembly
from infra.aws.cdk import cdk
from infra.environment import load
from infra.local import built
from infra.local.built import KEPT_AT_MOST, keep
from infra.pipeline import bootstrap
from infra.project import LOCAL


class Maker:
    """Makes folders from inputs that a test changes, and counts them."""

    def __init__(self) -> None:
        self.inputs = "one"
        self.made = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def digest(self) -> str:
        """Return the digest of the inputs, of which no more than the beginning is used."""
        return self.inputs.ljust(64, "0")

    def make(self, folder: Path) -> None:
        """Fill a folder."""
        self.made += 1
        (folder / "content").write_text(self.inputs)
        self.meanwhile()

    def keep(self, folder: Path) -> str:
        """Return what is kept for the inputs of now."""
        return (keep(folder, self.digest, self.make) / "content").read_text()


def test_what_was_made_of_the_same_inputs_is_used_again(tmp_path: Path) -> None:
    maker = Maker()
    assert [maker.keep(tmp_path), maker.keep(tmp_path)] == ["one", "one"]
    maker.inputs = "two"
    assert maker.keep(tmp_path) == "two"
    maker.inputs = "one"
    assert maker.keep(tmp_path) == "one"
    assert maker.made == len({"one", "two"})


def test_what_was_cut_short_is_not_kept(tmp_path: Path) -> None:
    maker = Maker()

    def fail() -> None:
        raise KeyboardInterrupt

    maker.meanwhile = fail
    with pytest.raises(KeyboardInterrupt):
        maker.keep(tmp_path)
    assert not [*tmp_path.iterdir()]


def test_what_was_made_while_its_inputs_changed_is_made_again(tmp_path: Path) -> None:
    maker = Maker()

    def change() -> None:
        maker.inputs = "two"

    maker.meanwhile = change
    assert maker.keep(tmp_path) == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["two".ljust(16, "0")]


def test_what_somebody_else_made_meanwhile_is_taken(tmp_path: Path) -> None:
    maker, other = Maker(), Maker()
    maker.meanwhile = lambda: (other.keep(tmp_path), None)[1]
    assert maker.keep(tmp_path) == "one"
    assert len([*tmp_path.iterdir()]) == 1


def test_a_few_are_kept_and_the_one_of_now_among_them(tmp_path: Path) -> None:
    maker = Maker()
    for number in range(KEPT_AT_MOST + 2):
        maker.inputs = str(number)
        assert maker.keep(tmp_path) == str(number)
    assert len([*tmp_path.iterdir()]) == KEPT_AT_MOST


@pytest.mark.usefixtures("installed_dependencies")
def test_it_is_what_the_commands_of_the_pipeline_make(tmp_path: Path) -> None:
    environment = load(LOCAL)
    found = built.build(environment, tmp_path / "kept")
    options = ["--context", f"environment={LOCAL}"]
    for name, context in (("stacks", []), ("access", ["--context", "access=true"])):
        cdk(["synth", "--quiet", "--output", str(tmp_path / name), *options, *context], log=f"test-built-{name}")
    assert Assembly(found.stacks).digest() == Assembly(tmp_path / "stacks").digest()
    assert Assembly(found.access).digest() == Assembly(tmp_path / "access").digest()
    assert found.bootstrap == bootstrap.narrow(bootstrap.original(LOCAL), environment)
