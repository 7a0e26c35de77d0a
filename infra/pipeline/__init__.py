"""The pipeline: what the workflows call, and a person on a laptop just as well."""
