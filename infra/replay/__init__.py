"""Shows whether running executions could resume with the code of this checkout."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
# The histories, recorded from the code on main.
RECORDED = ROOT / "tests" / "functions" / "orders" / "recorded"
