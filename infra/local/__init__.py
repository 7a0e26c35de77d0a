"""A local AWS: what one machine can show of the account that the stacks are deployed to, without Docker.

It is two programs behind one port of 127.0.0.1. ministack emulates the AWS services; AWS's own local runner of durable
executions runs those, on the very bundle that was deployed. `server/` joins them and adds what both lack.

What it cannot show:

- Instances. A capacity provider is a record: nothing is launched, placed, scaled, patched or billed, and a version that
  was put to sleep wakes at once.
- Managed Instances' way of running Python. Each concurrent invocation has a process to itself; memory, vCPUs, the
  architecture and the concurrency per execution environment have no effect, and nothing is ever throttled for them.
- Time limits as on Managed Instances. A function is ended at its timeout; there it runs on, and keeps its process.
- The network. Subnets, routes, endpoints and security groups are records: a function reaches whatever the machine does.
- The permissions of services. Callers are checked when IAM is enforced; what CloudFormation, Lambda or a capacity
  provider do through their own roles is not, and neither is `iam:PassRole` or `lambda:PassCapacityProvider`.
- The permissions boundary of a role that CloudFormation makes, and `iam:PermissionsBoundary` as a condition.
- The signature and the expiry of web identity tokens. Their claims are believed.
- `$LATEST.PUBLISHED`, the weights of an alias, and deleting an execution.
- The events of a pause in the history, and that a pause stops the clock of the execution's timeout: here it runs on.
- What runtimes bring, but for Python's boto3: the SDK of durable functions and Node.js's `@aws-sdk` have to be bundled.
- Metrics, alarms, events, quotas and request rates, how long logs are kept, and the log level: functions log at INFO.
- The removal of one version under its running executions, which AWS does not document: here they fail at their next
  invocation. The removal of a whole function waits for them, as on AWS.
"""
