"""Everything that brings the durable function to AWS."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout."""
