"""Text of a pull request, quoted: it shows, and does nothing."""

import pytest

from infra.console import markdown


@pytest.mark.parametrize("text", ["```\nout of the fence", "`````", "one ` two `` three ```"])
def test_a_block_s_fence_is_longer_than_any_in_it(text: str) -> None:
    first, *inside, last = markdown.block(text).splitlines()
    assert first == last
    assert set(first) == {"`"}
    assert all(first not in line for line in inside)


def test_a_long_block_is_cut_and_says_so() -> None:
    block = markdown.block("x" * 100_000)
    assert len(block) < 30_000
    assert "cut here" in block


@pytest.mark.parametrize("text", ["a`b", "<img src=x>", "[a](http://b)", "@everyone\n# title", "|", "\u202e"])
def test_a_quoted_value_can_not_leave_its_quotes(text: str) -> None:
    quoted = markdown.code(text)
    assert quoted.startswith("`")
    assert quoted.endswith("`")
    assert not set("`<>[]()|\n\u202e#") & set(quoted[1:-1])


def test_an_arn_is_quoted_as_it_is() -> None:
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:orders-pr-7:live"
    assert markdown.code(arn) == f"`{arn}`"


def test_a_folded_stack_has_its_name_in_html_that_it_can_not_leave() -> None:
    text = markdown.changes("Changes of prod", [], {"orders`-prod</code><img src=x>": "+ a"})
    assert "<summary><code>orders-prod/codeimg src=x</code></summary>" in text


def test_warnings_come_before_the_changes() -> None:
    text = markdown.changes("Changes of prod", ["orders-prod: IAM Statement Changes"], {"orders-prod": "+ a\n- b"})
    assert text.index("IAM Statement Changes") < text.index("+ a")
