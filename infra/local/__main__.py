"""A local AWS in the foreground, until Ctrl-C."""

import shlex
import signal
import sys
from argparse import ArgumentParser

from infra.environment import load
from infra.errors import UsageError
from infra.local.aws import LocalAws, LocalAwsError
from infra.project import LOCAL


def main() -> int:
    """Return 0 after Ctrl-C or SIGTERM, 1 when it could not be started, 2 when a file is wrong."""
    parser = ArgumentParser("python -m infra.local", description=__doc__)
    parser.add_argument("--skip-time", action="store_true", help="let durable waits end at once")
    parser.add_argument("--enforce-iam", action="store_true", help="check the permissions of every caller")
    arguments = parser.parse_args()
    # Also for SIGINT, which a shell lets its background jobs ignore.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        environment = load(LOCAL)
        with LocalAws.start(skip_time=arguments.skip_time, enforce_iam=arguments.enforce_iam) as aws:
            for name, value in aws.environ(environment.account, environment.region).items():
                print(f"export {name}={shlex.quote(value)}")
            print(f"# A local AWS listens on {aws.endpoint} until Ctrl-C, and logs to {aws.log}", flush=True)
            signal.pause()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
