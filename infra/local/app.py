"""The CDK app of one environment twice, in one process: its stacks, and its access stack into another folder.

Each is what infra/app.py makes by itself, at the price of one start of the CDK CLI, Python and Node.
"""

import sys

from infra import app


def main(access: str) -> int:
    """Synthesize, for the CDK CLI: the stacks where that says, and the access stack into a folder."""
    return app.main() or app.main(access, access="true")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
