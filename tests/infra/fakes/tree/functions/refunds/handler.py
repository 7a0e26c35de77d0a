"""Another function of the tests' own project, which nothing calls either."""
