"""Files of functions/ that a test writes itself."""

from pathlib import Path


def written(root: Path, files: dict[str, str]) -> Path:
    """Write files of functions/, by their paths there, and return the folder that holds it."""
    for name, text in files.items():
        path = root / "functions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
