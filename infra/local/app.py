"""The CDK app of one environment twice, in one process: its stacks, and beside them its access stack.

Each is what infra/app.py makes by itself, at the price of one start of Python, Node and the CDK.
"""

import os
import sys
from pathlib import Path

from infra import app

ACCESS = "access"
STACKS = "stacks"


def main() -> int:
    """Synthesize, for the CDK CLI: the stacks where it says, and the access stack into a folder beside that."""
    beside = Path(os.environ["CDK_OUTDIR"]).with_name(ACCESS)
    return app.main() or app.main(str(beside), access="true")


if __name__ == "__main__":
    sys.exit(main())
