import re
from pathlib import Path
from typing import Any

import pytest

from infra import toml
from infra.environment import Environment, load, load_all, names
from infra.toml import FileError

PROJECT = """\
name = "acme"
promote = ["test"]
previews = "preview"

[repository]
owner = "acme-inc"
name = "money"
owner_id = 0
id = 0
subject_has_ids = false
"""

VALID = """\
account = "111111111111"
region = "eu-west-1"
preview_days = 0
preview_idle_hours = 0

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
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project with the environments test and preview, and two functions."""
    monkeypatch.setattr(toml, "ROOT", tmp_path)
    (tmp_path / "project.toml").write_text(PROJECT)
    for name in ("billing", "refunds"):
        (folder := tmp_path / "functions" / name).mkdir(parents=True)
        (folder / "handler.py").touch()
    (tmp_path / "functions" / "shared").mkdir()
    write(tmp_path, "test", VALID)
    write(tmp_path, "preview", with_values(preview_days="14", cidr='"10.10.16.0/20"'))
    write(tmp_path, "local", VALID)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / "environments").mkdir(exist_ok=True)
    (root / "environments" / f"{name}.toml").write_text(text)


def read(root: Path, text: str) -> Environment:
    write(root, "test", text)
    return load("test", root)


def refused(root: Path, text: str) -> str:
    with pytest.raises(FileError) as caught:
        read(root, text)
    return str(caught.value)


def test_a_valid_file_is_read_with_its_own_name_as_the_environments_name(root: Path) -> None:
    environment = read(root, VALID)
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
    {"concurrency": "256", "memory_mb": "32768", "memory_gib_per_vcpu": "2.0", "maximum_vcpus": "576"},
    {"timeout_seconds": "1"},
    {"timeout_seconds": "5400", "execution_timeout_seconds": "5400"},
    {"minimum_environments": "4"},
    {"minimum_environments": "0", "maximum_environments": "0"},
    {"maximum_vcpus": "24", "maximum_environments": "1"},
    {"maximum_vcpus": "15000"},
    {"maximum_vcpus": "40"},
    {"maximum_vcpus": "40", "retained_versions": "20"},
    {"maximum_vcpus": "72", "memory_mb": "8192"},
    {"maximum_vcpus": "36", "instance_types": '["m7g.large"]'},
    {"scaling": '"manual"', "target_cpu_percent": "1"},
    {"scaling": '"manual"', "target_cpu_percent": "100"},
    {"instance_types": '["m8g.large", "c6gn.16xlarge", "r8gd.metal-24xl"]', "maximum_vcpus": "576"},
    {"instance_types": '["m8g.*", "m*.large", "*.xlarge"]'},
    {"instance_types": '["m5.large", "c5n.xlarge", "m7i-flex.2xlarge", "r7a.*"]', "architecture": '"x86_64"'},
    {"architecture": '"x86_64"'},
    {"runtime": '"python3.14"'},
    {"log_level": '"DEBUG"'},
    {"log_level": '"ERROR"'},
    {"log_retention_days": "1"},
    {"log_retention_days": "731"},
    {"execution_timeout_seconds": "1", "timeout_seconds": "1"},
    {"execution_timeout_seconds": "31622400"},
    {"retention_days": "1"},
    {"retention_days": "90"},
    {"cidr": '"10.0.0.0/16"'},
    {"cidr": '"192.168.7.0/24"'},
    {"nat_gateways": "0"},
    {"nat_gateways": "3"},
    {"zones": '["eu-west-1c"]'},
    {"region": '"me-central-1"', "zones": '["me-central-1a"]', "nat_gateways": "1"},
    {"removal_policy": '"retain"', "termination_protection": "true", "flow_logs": "true"},
]


@pytest.mark.parametrize("values", INSIDE, ids=str)
def test_a_value_at_the_edge_of_what_is_allowed_passes(root: Path, values: dict[str, str]) -> None:
    read(root, with_values(**values))


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
    ({"preview_idle_hours": "-1"}, "preview_idle_hours", ["-1", "1 to 168 hours", "0 for never"]),
    ({"preview_idle_hours": "169"}, "preview_idle_hours", ["169", "1 to 168 hours"]),
    ({"preview_idle_hours": "1"}, "preview_idle_hours", ["1", "0, as preview_days is"]),
    (
        {"maximum_vcpus": "39"},
        "maximum_vcpus",
        [
            "39",
            "at least 40, or less be asked for, by maximum_environments",
            "(billing: 2 of 4 vCPUs for 4 environments, 3 on each; refunds: 2 of 4 vCPUs for 4 environments, 3 on",
            "2 instances more are headroom",
        ],
    ),
    ({"maximum_vcpus": "71", "memory_mb": "8192"}, "maximum_vcpus", ["71", "at least 72", "1 on each"]),
    (
        {"maximum_vcpus": "35", "instance_types": '["m7g.large"]'},
        "maximum_vcpus",
        ["35", "at least 36", "billing: 4 of 2 vCPUs for 4 environments, 1 on each"],
    ),
    ({"instance_types": '["m7g.medium"]'}, "instance_types", ["'m7g.medium'", "size that Lambda takes", "xlarge"]),
    ({"instance_types": '["c7g.large"]'}, "instance_types", ["'c7g.large'", "large (but for C)", "Developer Guide"]),
    ({"instance_types": '["m7g.metal"]'}, "instance_types", ["'m7g.metal'", "tells its vCPUs", "metal-24xl"]),
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
    ({"region": '"eu-west-\u0661"'}, "region", ["region of the partition aws, such as eu-west-1"]),
    ({"region": '"Ireland"'}, "region", ["'Ireland'", "region of the partition aws, such as eu-west-1"]),
    ({"region": '"cn-north-1"'}, "region", ["'cn-north-1'", "region of the partition aws"]),
    ({"region": '"us-gov-west-1"'}, "region", ["'us-gov-west-1'", "region of the partition aws"]),
    (
        {"execution_timeout_seconds": "59"},
        "execution_timeout_seconds",
        ["59", "must be at least timeout_seconds = 60", "one invocation"],
    ),
    ({"removal_policy": '"snapshot"'}, "removal_policy", ["'snapshot'", "destroy or retain"]),
]


@pytest.mark.parametrize(("values", "key", "said"), OUTSIDE, ids=str)
def test_a_value_beyond_what_is_allowed_is_refused_with_file_key_value_and_range(
    root: Path, values: dict[str, str], key: str, said: list[str]
) -> None:
    message = refused(root, with_values(**values))
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
def test_a_value_of_the_wrong_type_is_refused(root: Path, key: str, value: str) -> None:
    message = refused(root, with_values(**{key: value}))
    assert message.startswith(f"environments/test.toml: {table_of(key)} = "), message
    assert ": must be " in message


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named_with_what_it_must_be(root: Path, key: str) -> None:
    assert re.fullmatch(
        rf"environments/test\.toml: {re.escape(table_of(key))}: missing; must be .+", refused(root, without(key))
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table_is_named(root: Path, table: str) -> None:
    assert refused(root, without_table(table)) == f"environments/test.toml: {table}: missing; must be a table"


@pytest.mark.parametrize("table", TABLES)
def test_a_value_in_place_of_a_table_is_refused(root: Path, table: str) -> None:
    message = refused(root, f"{table} = 1\n{without_table(table)}")
    assert message == f"environments/test.toml: {table} = 1: must be a table"


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_key_is_refused_with_the_known_ones(root: Path, table: str) -> None:
    message = refused(root, VALID.replace(f"[{table}]\n", f"[{table}]\nsize = 1\n"))
    known = [key for key in KEYS if table_of(key).startswith(f"{table}.")]
    # Of the first it needs not be said.
    known += ["generation"] if table == "capacity_provider" else []
    assert message == f"environments/test.toml: {table}.size: unknown key; known here: {', '.join(known)}"


def test_an_unknown_table_is_refused_with_the_known_ones(root: Path) -> None:
    message = refused(root, VALID + "\n[alarms]\nemail = 'a@example.com'\n")
    known = ["account", "region", "preview_days", "preview_idle_hours", *TABLES, "functions", "retiring"]
    assert message == f"environments/test.toml: alarms: unknown key; known here: {', '.join(known)}"


def test_every_wrong_key_gets_a_line_of_its_own(root: Path) -> None:
    lines = refused(root, with_values(memory_mb="1", flow_logs="1", account='"1"')).splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "environments/test.toml: account",
        "environments/test.toml: network.flow_logs",
        "environments/test.toml: function.memory_mb",
    ]


def test_every_broken_rule_between_keys_gets_a_line_of_its_own(root: Path) -> None:
    text = with_values(
        cidr='"8.8.0.0/16"', zones='["eu-west-1a", "eu-west-1a"]', concurrency="99", minimum_environments="5"
    )
    assert [line.split(" = ")[0] for line in refused(root, text).splitlines()] == [
        "environments/test.toml: network.cidr",
        "environments/test.toml: network.zones",
        "environments/test.toml: function.concurrency",
        "environments/test.toml: function.minimum_environments",
    ]


def test_every_broken_rule_between_tables_gets_a_line_of_its_own(root: Path) -> None:
    text = with_values(zones='["us-east-1a", "us-east-1b", "eu-west-1c"]', maximum_vcpus="15")
    assert [line.split(": must")[0] for line in refused(root, text).splitlines()] == [
        "environments/test.toml: network.zones = 'us-east-1a'",
        "environments/test.toml: network.zones = 'us-east-1b'",
        "environments/test.toml: capacity_provider.maximum_vcpus = 15",
    ]


def test_an_environment_does_not_name_itself(root: Path) -> None:
    assert "name: unknown key; it follows from the file's place" in refused(root, f'name = "test"\n{VALID}')


@pytest.mark.parametrize("name", ["staging", "", "../test", "test.toml", "TEST"])
def test_an_unknown_environment_is_refused_with_the_known_ones(root: Path, name: str) -> None:
    with pytest.raises(FileError) as caught:
        load(name, root)
    assert str(caught.value) == f"environment {name!r}: there is none of this name; there are test, preview, local"


def test_environments_come_in_the_order_of_the_project(root: Path) -> None:
    assert list(load_all(root)) == names(root) == ["test", "preview", "local"]


def test_a_file_that_the_project_does_not_name_is_refused(root: Path) -> None:
    write(root, "staging", with_values(cidr='"10.20.0.0/20"'))
    with pytest.raises(FileError) as caught:
        load("test", root)
    assert str(caught.value) == (
        "environments/staging.toml: project.toml names it nowhere, so no workflow would deploy it; add it to promote "
        "there, or remove the file"
    )


def test_an_environment_without_a_file_is_refused(root: Path) -> None:
    (root / "environments" / "preview.toml").unlink()
    with pytest.raises(FileError) as caught:
        load("test", root)
    assert str(caught.value) == "environments/preview.toml: there is no such file, and project.toml names it"


@pytest.mark.parametrize("cidr", ["10.10.0.0/20", "10.10.8.0/24", "10.10.0.0/16"])
def test_environments_share_no_addresses(root: Path, cidr: str) -> None:
    write(root, "preview", with_values(preview_days="14", cidr=f'"{cidr}"'))
    with pytest.raises(FileError) as caught:
        load("test", root)
    assert str(caught.value) == (
        f"environments/preview.toml: network.cidr = '{cidr}': overlaps that of test, '10.10.0.0/20'; networks that "
        "overlap can never be connected"
    )


@pytest.mark.parametrize("days", ["1", "90"])
def test_what_hosts_previews_is_what_the_project_says(root: Path, days: str) -> None:
    write(root, "preview", with_values(preview_days=days, cidr='"10.10.16.0/20"'))
    assert [each.name for each in load_all(root).values() if each.hosts_previews] == ["preview"]
    message = refused(root, with_values(preview_days=days))
    assert message.startswith(f"environments/test.toml: preview_days = {days}: must be 0, since promote")
    write(root, "test", VALID)
    write(root, "preview", with_values(cidr='"10.10.16.0/20"'))
    with pytest.raises(FileError, match=r"environments/preview\.toml: preview_days = 0: must be 1 or more, since prev"):
        load("test", root)


def test_what_is_wrong_in_one_environment_is_said_of_it_when_another_is_loaded(root: Path) -> None:
    write(root, "preview", with_values(preview_days="91"))
    with pytest.raises(FileError, match=r"^environments/preview\.toml: preview_days = 91: must be 1 to 90 days"):
        load("test", root)


def test_every_function_has_what_stands_for_all(root: Path) -> None:
    environment = read(root, VALID)
    assert environment.function_names == ("billing", "refunds")
    assert environment.settings("refunds").memory_mb == environment.function.memory_mb
    assert environment.settings("refunds").durable == environment.durable


def test_a_function_has_what_differs_under_its_name(root: Path) -> None:
    own = "\n[functions.refunds]\nmemory_mb = 8192\n\n[functions.refunds.durable]\nretention_days = 9\n"
    environment = read(root, VALID + own)
    refunds, billing = environment.settings("refunds"), environment.settings("billing")
    assert (refunds.memory_mb, refunds.vcpus, refunds.concurrency) == (8192, 2, 8)
    assert (refunds.durable.retention_days, refunds.durable.execution_timeout_seconds) == (9, 3600)
    assert (billing.memory_mb, billing.durable.retention_days) == (4096, 3)


def test_a_function_that_is_gone_has_what_stands_for_all(root: Path) -> None:
    environment = read(root, VALID)
    assert environment.settings("long_gone").memory_mb == environment.function.memory_mb


INSTANCES = VALID[VALID.index("[capacity_provider]\n") : VALID.index("[function]\n")]


def retiring(name: str, generation: str) -> str:
    """Return the valid file with a generation of its capacity provider, and an earlier one under a name."""
    before = INSTANCES.replace("[capacity_provider]", f"[retiring.{name}]").replace("arm64", "x86_64")
    return VALID.replace(INSTANCES, f"{INSTANCES.rstrip()}\ngeneration = {generation}\n\n{before}")


def test_earlier_generations_of_the_capacity_provider_stand_beside_it(root: Path) -> None:
    assert read(root, VALID).capacity_providers == {1: read(root, VALID).capacity_provider}
    found = read(root, retiring("2", "3"))
    assert {number: each.architecture for number, each in found.capacity_providers.items()} == {3: "arm64", 2: "x86_64"}


@pytest.mark.parametrize(
    ("name", "generation", "said"),
    [
        ("3", "3", "retiring = '3': must be one before capacity_provider.generation, one of 1, 2"),
        ("old", "2", "retiring = 'old': must be one before capacity_provider.generation, one of 1"),
        ("1", "1", "retiring = '1': must be one before capacity_provider.generation, and there is none yet"),
        ("1", "0", "capacity_provider.generation = 0: must be 1 or more"),
    ],
)
def test_a_generation_that_is_none_is_refused(root: Path, name: str, generation: str, said: str) -> None:
    assert refused(root, retiring(name, generation)).startswith(f"environments/test.toml: {said}")


def test_the_capacity_counts_what_differs(root: Path) -> None:
    own = "\n[functions.refunds]\nmaximum_environments = 7\n"
    message = refused(root, with_values(maximum_vcpus="47") + own)
    assert "must be at least 48, " in message
    assert "(billing: 2 of 4 vCPUs for 4 environments, 3 on each; refunds: 3 of 4 vCPUs for 7 environments" in message
    read(root, with_values(maximum_vcpus="48") + own)


def test_a_function_that_fits_on_no_type_that_is_named_is_refused_with_what_it_takes(root: Path) -> None:
    text = with_values(instance_types='["m7g.large"]') + "\n[functions.refunds]\nmemory_mb = 8192\n"
    message = refused(root, text)
    assert message.startswith("environments/test.toml: capacity_provider.instance_types = ['m7g.large']: must have a ")
    assert "an execution environment of refunds fits, which has 2 vCPU and 8 GiB: each instance keeps 1 vCPU" in message
    assert "\n" not in message
    read(root, text.replace("m7g.large", "m7g.xlarge"))


OWN: list[tuple[dict[str, Any], str]] = [
    ({"functions.refunds": "memory_mb = 1"}, "functions.refunds.memory_mb = 1: must be 2048 to 32768 MB"),
    ({"functions.refunds": "size = 1"}, "functions.refunds.size: unknown key; known here: runtime, memory_mb"),
    ({"functions.refunds": "concurrency = 17"}, "functions.refunds.concurrency = 17: must be at most 16 per vCPU"),
    ({"functions.refunds": "durable = 1"}, "functions.refunds.durable = 1: must be a table"),
    (
        {"functions.refunds.durable": "retention_days = 91"},
        "functions.refunds.durable.retention_days = 91: must be 1 to 90 days",
    ),
    (
        {"functions.refunds.durable": "execution_timeout_seconds = 59"},
        "functions.refunds.durable.execution_timeout_seconds = 59: must be at least timeout_seconds = 60",
    ),
    (
        {"functions.shared": "memory_mb = 8192"},
        "functions = 'shared': must be the name of a folder in functions/ with a handler.py: billing, refunds",
    ),
]


@pytest.mark.parametrize(("own", "said"), OWN, ids=str)
def test_what_is_wrong_of_one_function_is_named_with_it(root: Path, own: dict[str, str], said: str) -> None:
    tables = "".join(f"\n[{table}]\n{line}\n" for table, line in own.items())
    message = refused(root, VALID + tables)
    assert message.startswith(f"environments/test.toml: {said}"), message
    assert "\n" not in message


@pytest.mark.parametrize("line", ["functions = 1", "functions.refunds = 1"])
def test_a_value_in_place_of_the_table_of_functions_is_refused(root: Path, line: str) -> None:
    key = line.partition(" ")[0]
    message = refused(root, f"{line}\n{VALID}")
    assert message.startswith(f"environments/test.toml: {key} = 1: must be a table")


def test_the_environments_of_this_checkout_are_right() -> None:
    load_all()
