"""Environments in two accounts that are no fork's own: what the tests of access expect, they say of these."""

from infra.environment import Environment, load, names


def made(name: str, account: str, qualifier: str, *, preview_days: int = 0, endpoints: bool = False) -> Environment:
    """Return an environment with NAT, or with endpoints and flow logs; its sizes do not matter here."""
    base = load(names()[0])
    network = base.network.model_copy(update={"nat_gateways": 0 if endpoints else 1, "flow_logs": endpoints})
    return base.model_copy(
        update={
            "name": name,
            "account": account,
            "region": "eu-north-1",
            "qualifier": qualifier,
            "preview_days": preview_days,
            "network": network,
        }
    )


DEV = made("dev", "333333333333", "own-dev")
PREVIEW = made("preview", "333333333333", "own-pre", preview_days=7)
PROD = made("prod", "444444444444", "own-prd", endpoints=True)

ENVIRONMENTS = {each.name: each for each in (DEV, PREVIEW, PROD)}
ACCOUNTS = {"333333333333": [DEV, PREVIEW], "444444444444": [PROD]}
