"""What is installed here and carried by functions: locks of what pyproject.toml, package.json and functions name."""
