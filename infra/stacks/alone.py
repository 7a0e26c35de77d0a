"""What a stack holds, by synthesizing it alone: no credentials, no code."""

from collections.abc import Callable
from tempfile import TemporaryDirectory

import aws_cdk as cdk

from infra.needs import Resources


def resources_of(make: Callable[[cdk.App], cdk.Stack]) -> Resources:
    """Return the resources of a stack as its template has them, which is not checked by the CDK's rules.

    What is wrong with a template is said when the whole is synthesized (infra/app.py).
    """
    with TemporaryDirectory() as folder:
        unchecked = {"@aws-cdk/core:validateAgainstDefaultRules": False}
        app = cdk.App(outdir=folder, stack_traces=False, performance_reporting=False, post_cli_context=unchecked)
        stack = make(app)
        return app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
