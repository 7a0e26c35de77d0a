import re
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest

from infra import toml
from infra.environment import Environment, load, names, of_account
from infra.toml import FileError

VALID = """\
account = "111111111111"
region = "eu-west-1"
qualifier = "orders-dev"
preview_days = 0

[network]
cidr = "10.10.0.0/20"
zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
nat_gateways = 1
flow_logs = false

[capacity_provider]
architecture = "arm64"
maximum_vcpus = 400
scaling = "auto"
target_cpu_percent = 0
instance_types = []

[function]
runtime = "python3.13"
memory_mb = 4096
memory_gib_per_vcpu = 4.0
concurrency = 8
timeout_seconds = 60
minimum_environments = 1
maximum_environments = 4
retained_versions = 0
log_level = "INFO"
log_retention_days = 7

[durable]
execution_timeout_seconds = 3600
retention_days = 3

[protection]
termination_protection = false
removal_policy = "destroy"
"""

KEYS = re.findall(r"^(\w+) =", VALID, re.MULTILINE)
TABLES = ["network", "capacity_provider", "function", "durable", "protection"]


def with_values(**values: str) -> str:
    """Return the valid file with other values, written as TOML writes them."""
    text = VALID
    for key, value in values.items():
        text, found = re.subn(rf"(?m)^{key} = .*$", lambda _, line=f"{key} = {value}": line, text)
        assert found == 1, key
    return text


def without(key: str) -> str:
    return re.sub(rf"(?m)^{key} = .*\n", "", VALID)


def without_table(table: str) -> str:
    return re.sub(rf"(?ms)^\[{table}\]\n.*?(?=^\[|\Z)", "", VALID)


def table_of(key: str) -> str:
    """Return the key with its table before it, as messages name it."""
    table = re.findall(r"(?m)^\[(\w+)\]$", VALID[: VALID.index(f"\n{key} =")]) if f"\n{key} =" in VALID else []
    return f"{table[-1]}.{key}" if table else key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(toml, "ROOT", tmp_path)
    (folder := tmp_path / "environments").mkdir()
    return folder


def read(folder: Path, text: str) -> Environment:
    (folder / "test.toml").write_text(text)
    return load("test", folder)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(FileError) as caught:
        read(folder, text)
    return str(caught.value)


def test_a_valid_file_is_read_with_its_own_name_as_the_environments_name(folder: Path) -> None:
    environment = read(folder, VALID)
    assert environment.name == "test"
    assert environment.network.zones == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert environment.function.vcpus == 1


INSIDE = [
    {"memory_mb": "2048", "memory_gib_per_vcpu": "2.0"},
    {"memory_mb": "32768"},
    {"memory_gib_per_vcpu": "2.0"},
    {"memory_mb": "8192", "memory_gib_per_vcpu": "8.0"},
    {"memory_gib_per_vcpu": "4"},
    {"concurrency": "1"},
    {"concurrency": "16"},
    {"concurrency": "17", "memory_gib_per_vcpu": "2.0"},
    {"concurrency": "32", "memory_mb": "8192"},
    {"concurrency": "256", "memory_mb": "32768", "memory_gib_per_vcpu": "2.0"},
    {"timeout_seconds": "1"},
    {"timeout_seconds": "5400"},
    {"minimum_environments": "4"},
    {"minimum_environments": "0", "maximum_environments": "0"},
    {"maximum_vcpus": "12", "maximum_environments": "3"},
    {"maximum_vcpus": "15000"},
    {"maximum_vcpus": "16"},
    {"maximum_vcpus": "20", "retained_versions": "2"},
    {"retained_versions": "20"},
    {"preview_days": "1"},
    {"preview_days": "90"},
    {"maximum_vcpus": "24", "memory_mb": "8192"},
    {"scaling": '"manual"', "target_cpu_percent": "1"},
    {"scaling": '"manual"', "target_cpu_percent": "100"},
    {"instance_types": '["m8g.large", "c6gn.16xlarge", "r8gd.metal-24xl"]'},
    {"instance_types": '["m8g.*", "m*.large", "*.xlarge"]'},
    {"instance_types": '["m5.large", "c5n.xlarge", "m7i-flex.2xlarge", "r7a.*"]', "architecture": '"x86_64"'},
    {"architecture": '"x86_64"'},
    {"runtime": '"python3.14"'},
    {"log_level": '"DEBUG"'},
    {"log_level": '"ERROR"'},
    {"log_retention_days": "1"},
    {"log_retention_days": "731"},
    {"execution_timeout_seconds": "1"},
    {"execution_timeout_seconds": "31622400"},
    {"retention_days": "1"},
    {"retention_days": "90"},
    {"cidr": '"10.0.0.0/16"'},
    {"cidr": '"192.168.7.0/24"'},
    {"nat_gateways": "0"},
    {"nat_gateways": "3"},
    {"zones": '["eu-west-1c"]'},
    {"qualifier": '"o"'},
    {"qualifier": '"orders-123"'},
    {"removal_policy": '"retain"', "termination_protection": "true", "flow_logs": "true"},
]


@pytest.mark.parametrize("values", INSIDE, ids=str)
def test_a_value_at_the_edge_of_what_is_allowed_passes(folder: Path, values: dict[str, str]) -> None:
    read(folder, with_values(**values))


# For each: what is written, the key that the message blames, and what it says is right, with the limit's source.
OUTSIDE: list[tuple[dict[str, str], str, list[str]]] = [
    ({"memory_mb": "2047"}, "memory_mb", ["2047", "2048 to 32768 MB", "Developer Guide"]),
    ({"memory_mb": "32769"}, "memory_mb", ["32769", "2048 to 32768 MB", "Developer Guide"]),
    (
        {"memory_mb": "4095"},
        "memory_mb",
        ["4095", "at least memory_gib_per_vcpu x 1024 = 4096 MB", "Developer Guide"],
    ),
    ({"memory_gib_per_vcpu": "1.9"}, "memory_gib_per_vcpu", ["1.9", "2.0 to 8.0 GiB", "Lambda API"]),
    ({"memory_gib_per_vcpu": "8.1"}, "memory_gib_per_vcpu", ["8.1", "2.0 to 8.0 GiB", "Lambda API"]),
    ({"concurrency": "0"}, "concurrency", ["0", "1 to 1600", "Lambda API"]),
    ({"concurrency": "1601"}, "concurrency", ["1601", "1 to 1600", "Lambda API"]),
    ({"concurrency": "17"}, "concurrency", ["17", "at most 16 per vCPU, here 16", "Developer Guide"]),
    (
        {"concurrency": "33", "memory_mb": "8192"},
        "concurrency",
        ["33", "at most 16 per vCPU, here 32", "Developer Guide"],
    ),
    ({"timeout_seconds": "0"}, "timeout_seconds", ["0", "1 to 5400 s", "Lambda API"]),
    ({"timeout_seconds": "5401"}, "timeout_seconds", ["5401", "1 to 5400 s", "Lambda API"]),
    ({"minimum_environments": "-1"}, "minimum_environments", ["-1", "0 to 15000", "Lambda API"]),
    ({"minimum_environments": "15001"}, "minimum_environments", ["15001", "0 to 15000", "Lambda API"]),
    ({"maximum_environments": "-1"}, "maximum_environments", ["-1", "0 to 15000", "Lambda API"]),
    ({"maximum_environments": "15001"}, "maximum_environments", ["15001", "0 to 15000", "Lambda API"]),
    ({"minimum_environments": "5"}, "minimum_environments", ["5", "1 to maximum_environments = 4", "Developer Guide"]),
    ({"minimum_environments": "0"}, "minimum_environments", ["0", "or both 0", "Developer Guide"]),
    ({"maximum_environments": "0"}, "minimum_environments", ["1", "or both 0", "Developer Guide"]),
    ({"maximum_vcpus": "11"}, "maximum_vcpus", ["11", "12 to 15000", "quotas"]),
    ({"maximum_vcpus": "15001"}, "maximum_vcpus", ["15001", "12 to 15000", "quotas"]),
    ({"retained_versions": "-1"}, "retained_versions", ["-1", "0 to 20"]),
    ({"retained_versions": "21"}, "retained_versions", ["21", "0 to 20"]),
    ({"preview_days": "-1"}, "preview_days", ["-1", "1 to 90 days", "0 for one that hosts no previews"]),
    ({"preview_days": "91"}, "preview_days", ["91", "1 to 90 days"]),
    ({"maximum_vcpus": "19", "retained_versions": "2"}, "maximum_vcpus", ["19", "at least 20", "2 retained versions"]),
    ({"maximum_vcpus": "15"}, "maximum_vcpus", ["15", "at least 16", "two versions", "4 environments of 1 vCPU"]),
    (
        {"maximum_vcpus": "23", "memory_mb": "8192"},
        "maximum_vcpus",
        ["23", "at least 24", "two versions", "4 environments of 2 vCPU"],
    ),
    ({"scaling": '"fast"'}, "scaling", ["'fast'", "auto, or manual", "Lambda API"]),
    ({"target_cpu_percent": "1"}, "target_cpu_percent", ["1", "0 with auto scaling and 1 to 100 with manual"]),
    ({"scaling": '"manual"'}, "target_cpu_percent", ["0", "0 with auto scaling and 1 to 100 with manual"]),
    ({"target_cpu_percent": "-1"}, "target_cpu_percent", ["-1", "1 to 100", "Lambda API"]),
    ({"target_cpu_percent": "101"}, "target_cpu_percent", ["101", "1 to 100", "Lambda API"]),
    ({"instance_types": '[""]'}, "instance_types", ["''", "m8g.large", "Lambda API"]),
    ({"instance_types": '["m8g"]'}, "instance_types", ["'m8g'", "m8g.large", "Lambda API"]),
    ({"instance_types": '["M8G.large"]'}, "instance_types", ["'M8G.large'", "m8g.large", "Lambda API"]),
    ({"instance_types": f'["m8g.{"x" * 27}"]'}, "instance_types", ["m8g.large", "Lambda API"]),
    ({"instance_types": '["m8g.large", "m8i.large"]'}, "instance_types", ["'m8i.large'", "architecture arm64"]),
    ({"instance_types": '["m7i-flex.*"]'}, "instance_types", ["'m7i-flex.*'", "architecture arm64"]),
    (
        {"instance_types": '["m8g.large"]', "architecture": '"x86_64"'},
        "instance_types",
        ["'m8g.large'", "architecture x86_64"],
    ),
    ({"architecture": '"arm"'}, "architecture", ["'arm'", "arm64 or x86_64"]),
    ({"runtime": '"python3.12"'}, "runtime", ["'python3.12'", "python3.13 or python3.14", "Developer Guide"]),
    ({"log_level": '"info"'}, "log_level", ["'info'", "DEBUG, INFO, WARN or ERROR", "Lambda API"]),
    ({"log_retention_days": "0"}, "log_retention_days", ["0", "1, 3, 5, 7", "PutRetentionPolicy"]),
    ({"log_retention_days": "2"}, "log_retention_days", ["2", "1, 3, 5, 7", "PutRetentionPolicy"]),
    (
        {"execution_timeout_seconds": "0"},
        "execution_timeout_seconds",
        ["0", "1 to 31622400 s", "Lambda API"],
    ),
    (
        {"execution_timeout_seconds": "31622401"},
        "execution_timeout_seconds",
        ["31622401", "1 to 31622400 s", "Lambda API"],
    ),
    ({"retention_days": "0"}, "retention_days", ["0", "1 to 90 days", "Lambda API"]),
    ({"retention_days": "91"}, "retention_days", ["91", "1 to 90 days", "Lambda API"]),
    ({"cidr": '"the office"'}, "cidr", ["'the office'", "private IPv4 network such as 10.0.0.0/16"]),
    ({"cidr": '"8.8.0.0/16"'}, "cidr", ["'8.8.0.0/16'", "private", "VPC User Guide"]),
    ({"cidr": '"127.0.0.0/16"'}, "cidr", ["'127.0.0.0/16'", "private", "VPC User Guide"]),
    ({"cidr": '"10.0.1.0/16"'}, "cidr", ["'10.0.1.0/16'", "host bits"]),
    ({"cidr": '"10.0.0.0/15"'}, "cidr", ["'10.0.0.0/15'", "from /16 to /24", "VPC User Guide"]),
    ({"cidr": '"10.0.0.0/25"'}, "cidr", ["'10.0.0.0/25'", "from /16 to /24", "VPC User Guide"]),
    ({"cidr": '"10.0.0.0/255.255.240.0"'}, "cidr", ["'10.0.0.0/255.255.240.0'", "must be written as 10.0.0.0/20"]),
    ({"cidr": '"10.0.0.0/020"'}, "cidr", ["'10.0.0.0/020'", "must be written as 10.0.0.0/20"]),
    ({"cidr": '"fd00::/20"'}, "cidr", ["'fd00::/20'", "private IPv4 network"]),
    ({"zones": "[]"}, "zones", ["[]", "1 to 6 different availability zones"]),
    (
        {"zones": str([f"eu-west-1{letter}" for letter in "abcdefg"])},
        "zones",
        ["eu-west-1g", "1 to 6 different availability zones"],
    ),
    ({"zones": '["eu-west-1a", "eu-west-1a"]'}, "zones", ["eu-west-1a", "must differ from each other"]),
    ({"zones": '["eu-west-1a", "us-east-1a"]'}, "zones", ["'us-east-1a'", "zone of eu-west-1, such as eu-west-1a"]),
    ({"zones": '["eu-west-1"]'}, "zones", ["'eu-west-1'", "zone of eu-west-1, such as eu-west-1a"]),
    ({"zones": '["eu-west-1A"]'}, "zones", ["'eu-west-1A'", "zone of eu-west-1, such as eu-west-1a"]),
    ({"zones": '["eu-west-1\u00e9"]'}, "zones", ["zone of eu-west-1, such as eu-west-1a"]),
    ({"zones": '[""]'}, "zones", ["''", "zone of eu-west-1, such as eu-west-1a"]),
    ({"nat_gateways": "-1"}, "nat_gateways", ["-1", "as many as there are zones"]),
    ({"nat_gateways": "7"}, "nat_gateways", ["7", "as many as there are zones"]),
    ({"nat_gateways": "4"}, "nat_gateways", ["4", "at most the number of zones, 3"]),
    ({"account": '"1234"'}, "account", ["'1234'", "12 digits"]),
    ({"account": '"1111111111111"'}, "account", ["'1111111111111'", "12 digits"]),
    ({"account": '"' + "\u0661" * 12 + '"'}, "account", ["12 digits"]),
    ({"region": '"eu-west-\u0661"'}, "region", ["an AWS region, such as eu-west-1"]),
    ({"region": '"Ireland"'}, "region", ["'Ireland'", "an AWS region, such as eu-west-1"]),
    ({"qualifier": '""'}, "qualifier", ["''", "1 to 10 of a to z, 0 to 9 and -"]),
    ({"qualifier": '"orders-1234"'}, "qualifier", ["'orders-1234'", "1 to 10 of a to z, 0 to 9 and -"]),
    ({"qualifier": '"Orders"'}, "qualifier", ["'Orders'", "1 to 10 of a to z, 0 to 9 and -"]),
    ({"removal_policy": '"snapshot"'}, "removal_policy", ["'snapshot'", "destroy or retain"]),
]


@pytest.mark.parametrize(("values", "key", "said"), OUTSIDE, ids=str)
def test_a_value_beyond_what_is_allowed_is_refused_with_file_key_value_and_range(
    folder: Path, values: dict[str, str], key: str, said: list[str]
) -> None:
    message = refused(folder, with_values(**values))
    assert message.startswith(f"environments/test.toml: {table_of(key)} = "), message
    assert "\n" not in message
    for part in said:
        assert part in message


WRONG_TYPES = [
    ("account", "111111111111"),
    ("preview_days", "true"),
    ("preview_days", '"14"'),
    ("retained_versions", "true"),
    ("retained_versions", '"1"'),
    ("cidr", "10"),
    ("zones", '"eu-west-1a"'),
    ("zones", "[1]"),
    ("nat_gateways", '"1"'),
    ("nat_gateways", "true"),
    ("flow_logs", "0"),
    ("maximum_vcpus", "16.0"),
    ("maximum_vcpus", "true"),
    ("instance_types", '"m8g.large"'),
    ("runtime", "3.13"),
    ("memory_mb", '"4096"'),
    ("memory_mb", "4096.5"),
    ("memory_mb", "true"),
    ("memory_gib_per_vcpu", '"4.0"'),
    ("memory_gib_per_vcpu", "true"),
    ("memory_gib_per_vcpu", "nan"),
    ("log_level", "1"),
    ("log_retention_days", '"7"'),
    ("log_retention_days", "true"),
    ("retention_days", '"3"'),
    ("termination_protection", '"true"'),
    ("removal_policy", "true"),
]


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_refused(folder: Path, key: str, value: str) -> None:
    message = refused(folder, with_values(**{key: value}))
    assert message.startswith(f"environments/test.toml: {table_of(key)} = "), message
    assert ": must be " in message


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named_with_what_it_must_be(folder: Path, key: str) -> None:
    assert re.fullmatch(
        rf"environments/test\.toml: {re.escape(table_of(key))}: missing; must be .+", refused(folder, without(key))
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table_is_named(folder: Path, table: str) -> None:
    assert refused(folder, without_table(table)) == f"environments/test.toml: {table}: missing; must be a table"


@pytest.mark.parametrize("table", TABLES)
def test_a_value_in_place_of_a_table_is_refused(folder: Path, table: str) -> None:
    message = refused(folder, f"{table} = 1\n{without_table(table)}")
    assert message == f"environments/test.toml: {table} = 1: must be a table"


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_key_is_refused_with_the_known_ones(folder: Path, table: str) -> None:
    message = refused(folder, VALID.replace(f"[{table}]\n", f"[{table}]\nsize = 1\n"))
    known = [key for key in KEYS if table_of(key).startswith(f"{table}.")]
    assert message == f"environments/test.toml: {table}.size: unknown key; known here: {', '.join(known)}"


def test_an_unknown_table_is_refused_with_the_known_ones(folder: Path) -> None:
    message = refused(folder, VALID + "\n[alarms]\nemail = 'a@example.com'\n")
    known = ["account", "region", "qualifier", "preview_days", *TABLES]
    assert message == f"environments/test.toml: alarms: unknown key; known here: {', '.join(known)}"


def test_every_wrong_key_gets_a_line_of_its_own(folder: Path) -> None:
    lines = refused(folder, with_values(memory_mb="1", flow_logs="1", account='"1"')).splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "environments/test.toml: account",
        "environments/test.toml: network.flow_logs",
        "environments/test.toml: function.memory_mb",
    ]


def test_every_broken_rule_between_keys_gets_a_line_of_its_own(folder: Path) -> None:
    text = with_values(
        cidr='"8.8.0.0/16"', zones='["eu-west-1a", "eu-west-1a"]', concurrency="99", minimum_environments="5"
    )
    assert [line.split(" = ")[0] for line in refused(folder, text).splitlines()] == [
        "environments/test.toml: network.cidr",
        "environments/test.toml: network.zones",
        "environments/test.toml: function.concurrency",
        "environments/test.toml: function.minimum_environments",
    ]


def test_every_broken_rule_between_tables_gets_a_line_of_its_own(folder: Path) -> None:
    text = with_values(zones='["us-east-1a", "us-east-1b", "eu-west-1c"]', maximum_vcpus="15")
    assert [line.split(": must")[0] for line in refused(folder, text).splitlines()] == [
        "environments/test.toml: network.zones = 'us-east-1a'",
        "environments/test.toml: network.zones = 'us-east-1b'",
        "environments/test.toml: capacity_provider.maximum_vcpus = 15",
    ]


def test_an_environment_does_not_name_itself(folder: Path) -> None:
    assert "name: unknown key; it follows from the file's name" in refused(folder, f'name = "test"\n{VALID}')


@pytest.mark.parametrize("name", ["staging", "", "../test", "test.toml", "TEST"])
def test_an_unknown_environment_is_refused_with_the_known_ones(folder: Path, name: str) -> None:
    (folder / "test.toml").write_text(VALID)
    (folder / "other.toml").write_text(VALID)
    with pytest.raises(FileError) as caught:
        load(name, folder)
    assert str(caught.value) == f"environment {name!r}: there is no such file; there are other, test"


def test_there_are_four_environments_and_all_are_valid() -> None:
    assert names() == ["dev", "local", "preview", "prod"]
    for name in names():
        load(name)


def test_prod_is_spread_over_three_zones_and_protected() -> None:
    prod = load("prod")
    assert len(prod.network.zones) == 3
    assert prod.function.minimum_environments >= 3
    assert prod.network.nat_gateways in (0, 3), "the loss of one zone must not cost the others their egress"
    assert prod.network.flow_logs
    assert prod.protection.termination_protection
    assert prod.protection.removal_policy == "retain"


@pytest.mark.parametrize("name", ["dev", "local", "preview"])
def test_all_other_environments_are_small_and_leave_nothing_behind(name: str) -> None:
    environment, prod = load(name), load("prod")
    assert not environment.protection.termination_protection
    assert environment.protection.removal_policy == "destroy"
    assert environment.function.maximum_environments < prod.function.maximum_environments
    assert environment.function.log_retention_days < prod.function.log_retention_days
    assert environment.durable.retention_days < prod.durable.retention_days


def test_only_preview_hosts_previews() -> None:
    assert [name for name in names() if load(name).hosts_previews] == ["preview"]


def test_no_two_environments_share_addresses() -> None:
    networks = [IPv4Network(load(name).network.cidr) for name in names()]
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


def test_prod_shares_its_account_with_no_other_environment() -> None:
    assert load("prod").account not in {load(name).account for name in names() if name != "prod"}


def test_every_environment_has_a_bootstrap_of_its_own() -> None:
    qualifiers = [load(name).qualifier for name in names()]
    assert len(set(qualifiers)) == len(qualifiers)


def test_the_environments_of_an_account_are_found_in_the_order_of_their_names(folder: Path) -> None:
    for name, account in {"c": "111111111111", "b": "222222222222", "a": "111111111111"}.items():
        (folder / f"{name}.toml").write_text(with_values(account=f'"{account}"'))
    assert [environment.name for environment in of_account("111111111111", folder)] == ["a", "c"]
    assert of_account("333333333333", folder) == []
