import subprocess
import sys

import pytest

from infra import ROOT, limits

# In a process of its own, whose limit is as low as a Mac's.
LOWERED = """
import resource, sys
hard = {hard}
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
from infra.local.server.__main__ import raise_file_limit
raise_file_limit()
raise_file_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("hard", "raised"),
    [("resource.getrlimit(resource.RLIMIT_NOFILE)[1]", limits.FILE_DESCRIPTORS), ("512", 512)],
    ids=["as far as a function may", "as far as the system lets"],
)
def test_the_server_may_open_more_files_than_a_mac_gives_it(hard: str, raised: int) -> None:
    script = LOWERED.format(hard=hard)
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split()[0] == str(raised)
