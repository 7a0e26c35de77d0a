"""Shows whether running executions could resume with the code of this checkout."""

from infra import ROOT

# The histories, recorded from the code on main.
RECORDED = ROOT / "tests" / "functions" / "orders" / "recorded"
