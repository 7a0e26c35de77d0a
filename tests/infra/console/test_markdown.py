"""Text of others in Markdown: all of it shows, and nothing of it acts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.console import markdown
from infra.console.markdown import Untrusted
from tests.infra.console.commonmark import codes, shape

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:acme-pr-7-billing:live"
DRIFT = '/Policies/0 should be {"Action":"sqs:Send"} and is {"Action":"*"} | <b> [a](http://b) & \\'


@pytest.mark.parametrize("text", [ARN, DRIFT, "a`b", "`a", "a`", "``", "` ``` `", " a ", "x" * 5_000, "é ─ 漢 🙂"])
def test_code_holds_all_of_a_text_and_nothing_else(text: str) -> None:
    for quoted in (markdown.code(text), markdown.code(Untrusted(text))):
        assert codes(quoted) == [text]
        assert shape(f"a {quoted} b") == shape("a `x` b")


@pytest.mark.parametrize("text", [DRIFT, "```\nout", "`````", "~~~\n\n# a\n\n\tb", "one ` two `` three ```\n"])
def test_a_block_holds_all_of_a_text_and_nothing_else(text: str) -> None:
    assert codes(markdown.block(text, "diff")) == [f"{text}\n"]
    assert shape(markdown.block(text, "diff")) == shape("```diff\nx\n```")


@pytest.mark.parametrize(
    ("text", "shown"), [("a\n\rb\t", r"a\n\rb\t"), ("\u202e\x1b[m\0\udcff", r"\u202e\x1b[m\x00\udcff"), ("", "(empty)")]
)
def test_what_does_not_show_is_made_visible(text: str, shown: str) -> None:
    assert markdown.code(text) == f"`{shown}`"


def test_no_fence_is_longer_than_what_github_takes_for_one() -> None:
    # Of cmark-gfm, which the tests' parser is not: 80 in a line, and 255 in a block.
    for text in (markdown.code("`" * 90), markdown.block("`" * 300)):
        assert "`" * 30 not in text
        assert r"\x60" * 90 in text


@pytest.mark.parametrize("use", [str, "{}".format, "%s".__mod__, json.dumps, "".join, "a".__add__])
def test_what_is_untrusted_becomes_no_string(use: Callable[[Any], object]) -> None:
    untrusted = Untrusted("# Approved")
    with pytest.raises(TypeError):
        use(untrusted)
    assert "Approved" not in repr(untrusted)


def test_a_folded_stack_has_its_name_in_html_that_it_can_not_leave() -> None:
    text = markdown.changes("Changes of prod", [], {"acme-prod`-billing</code>\n\n<img src=x>": "+ a"})
    assert shape(text) == shape(markdown.changes("Changes of prod", [], {"acme-prod-billing": "+ a"}))


def test_the_longest_are_cut_first_to_one_length_and_say_so() -> None:
    warnings = ["acme-prod-billing: IAM Statement Changes"] * 100
    stacks = {"short": "+ a\n" * 1_000, "long": "+ b\n" * 20_000, "longer": "+ c\n" * 40_000}
    text = markdown.fit(lambda limit: markdown.changes("Changes of prod", warnings, stacks, limit))
    *told, short, long, longer = codes(text)
    assert 64_900 < len(text) <= 65_000
    assert told == warnings
    assert short == stacks["short"] + "\n"
    assert long.count("+ b") == longer.count("+ c")
    assert longer.splitlines()[-1].startswith("... cut here: the run's log has 13")


def test_a_list_of_which_all_does_not_fit_says_how_many_more_there_are() -> None:
    text = markdown.fit(lambda limit: markdown.items([f"a/{each:06}.json" for each in range(5_000)], limit))
    shown = codes(text)
    assert shown[0] == "a/000000.json"
    assert 60_000 < len(text) <= 65_000
    assert text.endswith(f"\n- and {5_000 - len(shown):,} more, which the run's log has")


def test_a_step_s_summary_is_measured_in_bytes() -> None:
    text = markdown.fit_summary(lambda limit: markdown.block("─" * 400_000, limit=limit))
    assert 999_990 < len(text.encode()) <= 1_000_000


def test_what_fits_is_not_cut() -> None:
    text = "x" * 64_000
    assert markdown.fit(lambda limit: markdown.code(text, limit)) == f"`{text}`"
