"""The issues that tell what is wrong for as long as it is."""

from github.Issue import Issue

from infra.console.report import Notice
from infra.github.client import asking, is_ours, repository


def keep(notice: Notice) -> str | None:
    """Keep one issue on a topic: open it or update it, and close it when there is nothing to say any more.

    Returns:
        The address of the issue that is open now, if any.

    Raises:
        UsageError: a variable is missing.
        CommandError: GitHub can't be asked.
    """
    marker = f"<!-- infra.pipeline {notice.topic} -->"
    with asking(f"the issue on {notice.topic}"):
        there = repository()
        found = [each for each in there.get_issues(state="open") if is_ours(each.user, each.body, marker)]
        if notice.body is None:
            return _close(found)
        text = f"{marker}\n\n{notice.body}"
        if not found:
            return there.create_issue(title=notice.title, body=text).html_url
        if found[0].body != text:
            found[0].edit(body=text)
        return found[0].html_url


def _close(issues: list[Issue]) -> None:
    for issue in issues:
        issue.create_comment("Nothing is left of this.")
        issue.edit(state="closed")
