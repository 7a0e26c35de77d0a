"""What of a diff deserves a look first. The diff itself is the CDK CLI's, and is rehearsed on the local AWS."""

from infra.pipeline.diff import attention

QUIET = """Stack orders-dev
Resources
[~] AWS::Lambda::Function Function Function76856677
 └─ [~] MemorySize
     ├─ [-] 2048
     └─ [+] 4096
[-] AWS::Lambda::Version Function/CurrentVersion FunctionCurrentVersion1 orphan
"""
LOUD = """Stack platform-dev
IAM Statement Changes
Resources
[-] AWS::SSM::Parameter Old destroy
[~] AWS::Lambda::CapacityProvider CapacityProvider replace
[~] AWS::EC2::Subnet Subnet may be replaced
[+] AWS::EC2::Subnet replace
"""


def test_a_change_in_place_and_a_retained_version_need_no_attention() -> None:
    assert attention({"orders-dev": QUIET}) == []


def test_security_comes_first_and_then_what_is_destroyed_or_replaced() -> None:
    assert attention({"orders-dev": QUIET, "platform-dev": LOUD}) == [
        "platform-dev: IAM Statement Changes",
        "platform-dev: [-] AWS::SSM::Parameter Old destroy",
        "platform-dev: [~] AWS::Lambda::CapacityProvider CapacityProvider replace",
        "platform-dev: [~] AWS::EC2::Subnet Subnet may be replaced",
    ]
