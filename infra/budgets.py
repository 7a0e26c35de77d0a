"""How long things may take, in seconds: one table, so that nothing waits longer than its job or its credentials last.

tests/workflows/test_budgets.py holds it against the workflows.
"""

MINUTE = 60

# The session of an assumed role, where a workflow asks for no other (configure-aws-credentials, role-duration-seconds).
CREDENTIALS = 60 * MINUTE
# What comes before a job's command: checking out, installing, assuming the role.
SET_UP = 5 * MINUTE

# A first deployment makes a network and instances. The CDK CLI waits for both without a limit of its own.
FIRST_DEPLOYMENT = 30 * MINUTE
DEPLOYMENT = 25 * MINUTE
# For versions that were asleep, side by side. From publishing one to its first invocation 67 and 100 s were measured.
WAKING = 3 * MINUTE
# For the smoke executions of all functions, which run side by side.
SMOKE = 5 * MINUTE
# For all functions, whose versions may have to wake. A cancelled job has five minutes for its steps that run always
# (GitHub Actions, canceling a workflow).
GOING_BACK = 4 * MINUTE
# For executions to end, and then for those that were stopped to reach a checkpoint.
DRAIN = 15 * MINUTE
# Of stacks that are deleted side by side. CloudFormation goes on when it takes longer, and the next removal waits for
# it.
DELETION = 17 * MINUTE
# For the drift of all stacks of an environment, which is detected at the same time.
DRIFT_DETECTION = 20 * MINUTE
# After this no further preview is removed in a night.
SWEEP = 20 * MINUTE

# What the jobs that hold credentials may spend after their set-up, by the command that takes longest.
JOBS = {
    # A deployment that is not the first may remove functions as well, and find others asleep.
    "deploy": max(FIRST_DEPLOYMENT, DEPLOYMENT + DELETION) + WAKING + SMOKE + GOING_BACK,
    "teardown": DRAIN + 2 * DELETION,
    "drift": DRIFT_DETECTION,
    "sweep": SWEEP + DRAIN + DELETION,
}
