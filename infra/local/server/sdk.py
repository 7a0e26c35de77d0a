"""The AWS SDK that Lambda's Python runtimes have, for functions whose bundles bring none (Developer Guide, Python).

They have the one of durable functions too, in a version that AWS does not tell: a bundle had better bring it, and here
has to.
"""

import subprocess
from pathlib import Path

# boto3 and all that it imports.
MODULES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_ORIGINS = """
import sys
from importlib.util import find_spec
for name in sys.argv[1:]:
    print(find_spec(name).origin)
"""


def link(python: str, folder: Path) -> Path:
    """Make a folder of links to the SDK of an interpreter's environment, and to nothing else in it; return its path.

    It is the development environment's, because ministack's has botocore alone, in a version that AWS's SDK of durable
    functions does not work with.
    """
    command = [python, "-c", _ORIGINS, *MODULES]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    sdk = folder / "sdk"
    sdk.mkdir()
    for origin in map(Path, listed.splitlines()):
        module = origin.parent if origin.name == "__init__.py" else origin
        (sdk / module.name).symlink_to(module)
    return sdk
