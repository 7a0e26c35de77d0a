"""A function of the tests' own project, which nothing calls: that it is here makes it one."""
