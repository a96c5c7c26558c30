"""docker-compose.yml and the image: what they promise, checked without a container engine."""

import re
import shutil
import subprocess
import tomllib
from urllib.parse import urlsplit

import pytest
import yaml

from api.main import GRACE_SECONDS
from deploy.local import postgres, temporal_build
from deploy.local.stack import GATEWAY_STOP_SECONDS, WORKER_STOP_SECONDS
from shared.config import Settings, environment_names
from shared.contracts.queues import Queue
from shared.keyring import Keyring
from tests.deploy.compose_file import (
    ROOT,
    NotSet,
    Service,
    example_commands,
    optional_variables,
    read_services,
    required_variables,
    seconds_of,
)
from workflows.worker import GRACE

VARIABLES = dict.fromkeys(required_variables(), "sample")
SERVICES = read_services(VARIABLES)
OURS = [service for service in SERVICES.values() if service.is_ours]
LASTING = [service for service in SERVICES.values() if not service.is_job]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@pytest.fixture(params=SERVICES.values(), ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


@pytest.fixture(params=OURS, ids=lambda service: service.name)
def our_service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


@pytest.mark.parametrize("name", required_variables())
def test_a_start_without_a_secret_says_what_to_set(name: str) -> None:
    with pytest.raises(NotSet, match=rf"^{name}: set it in .env to "):
        read_services(VARIABLES | {name: ""})


def test_the_example_lists_what_must_be_set_and_how_to_make_it() -> None:
    commands = example_commands()
    assert commands.keys() == required_variables().keys()
    assert [it for it in commands.values() if "openssl rand" not in it] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_example_s_commands_make_values_that_are_accepted() -> None:
    made = {
        name: subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own words
        for name, command in example_commands().items()
    }
    values = {name: result.stdout.strip() for name, result in made.items()}
    Keyring(
        secret_key=values["DRUMBEAT_SECRET_KEY"], encryption_keys=values["DRUMBEAT_ENCRYPTION_KEYS"]
    )
    assert all(re.fullmatch(r"\w{32,}", it) for name, it in values.items() if "PASSWORD" in name)


def test_no_secret_has_a_default() -> None:
    assert [it for it in optional_variables() if re.search("PASSWORD|SECRET|KEY", it)] == []


def test_ports_are_published_on_this_machine_only(service: Service) -> None:
    assert [it for it in service.settings.get("ports", ()) if not it.startswith("127.0.0.1:")] == []


def test_jobs_are_tried_again_and_the_rest_always_runs(service: Service) -> None:
    is_waited_for = any(
        SERVICES[other].settings.get("depends_on", {}).get(service.name)
        == {"condition": "service_completed_successfully"}
        for other in SERVICES
    )
    assert service.settings["restart"] == ("on-failure:5" if is_waited_for else "unless-stopped")


def test_whoever_is_waited_for_can_say_that_it_is_ready(service: Service) -> None:
    for name, wait in service.settings.get("depends_on", {}).items():
        other = SERVICES[name]
        is_job = wait["condition"] == "service_completed_successfully"
        assert other.is_job if is_job else "healthcheck" in other.settings


@pytest.mark.parametrize("lasting", [it for it in LASTING if it.is_ours], ids=lambda it: it.name)
def test_our_lasting_parts_have_a_health_check(lasting: Service) -> None:
    where = "8000/readyz" if lasting.name == "gateway" else "9464/healthz"
    assert f"http://127.0.0.1:{where}" in lasting.settings["healthcheck"]["test"][-1]


def test_every_queue_has_one_worker() -> None:
    served = [it.command[-1] for it in OURS if it.command[0] == "worker"]
    assert sorted(served) == sorted(Queue)


def test_what_was_begun_may_end_before_a_stop() -> None:
    for service in OURS:
        if not service.is_job:
            given = seconds_of(service.settings["stop_grace_period"])
            needed = GRACE_SECONDS if service.name == "gateway" else GRACE.total_seconds()
            assert given > needed, f"{service.name} may be killed while it finishes its work"


def test_a_local_stop_waits_as_long() -> None:
    assert GATEWAY_STOP_SECONDS > GRACE_SECONDS
    assert GRACE.total_seconds() < WORKER_STOP_SECONDS


def test_our_parts_can_change_nothing_in_their_container(our_service: Service) -> None:
    settings = our_service.settings
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]


def test_our_parts_get_settings_that_exist(our_service: Service) -> None:
    known = {name for field in Settings.model_fields for name in environment_names(field)}
    given = our_service.settings["environment"].keys()
    # Those of AWS are read by the library that speaks to the object store.
    assert {name for name in given if not name.startswith("AWS_")} <= known


# A server fetches no programs, has no owner's login and no Temporal Cloud; the others are where
# a sandbox stands in for a provider.
NOT_FOR_SERVERS = {
    *("cache_dir", "migration_database_url", "temporal_api_key"),
    *("gmail_endpoint", "calendar_endpoint"),
}
NOT_FOR_SERVERS |= {it for it in Settings.model_fields if re.fullmatch("google_.*_url", it)}


@pytest.mark.parametrize("field", sorted(Settings.model_fields.keys() - NOT_FOR_SERVERS))
def test_every_setting_can_be_given(field: str) -> None:
    given = {name for it in OURS if not it.is_job for name in it.settings["environment"]}
    names = environment_names(field)
    assert given & set(names), f"add {names[0]} to x-settings in docker-compose.yml"


def test_uploads_are_shared_by_all_who_read_them() -> None:
    for service in (it for it in OURS if not it.is_job):
        folder = service.environment["DRUMBEAT_DATA_DIR"]
        assert service.settings["volumes"] == [f"uploads:{folder}"]
        assert f"--group=10001 --mode=700 {folder}\n" in DOCKERFILE.read_text()


def test_addresses_name_services(our_service: Service) -> None:
    given = our_service.environment
    hosts = [urlsplit(it).hostname for name, it in given.items() if name.endswith("DATABASE_URL")]
    hosts += [given[name].split(":")[0] for name in ("TEMPORAL_ADDRESS",) if name in given]
    assert set(hosts) <= SERVICES.keys()


def test_only_who_needs_a_password_knows_it() -> None:
    knowers = {
        name: {it.name for it in read_services(VARIABLES | {name: "known"}).values() if _knows(it)}
        for name in VARIABLES
    }
    ours = {it.name for it in OURS if not it.is_job}
    assert knowers == {
        "POSTGRES_PASSWORD": {"postgres", "roles"},
        "DRUMBEAT_OWNER_PASSWORD": {"roles", "migrate"},
        "DRUMBEAT_APP_PASSWORD": {"roles", *ours},
        "TEMPORAL_DATABASE_PASSWORD": {"roles", "temporal-schema", "temporal"},
        "DRUMBEAT_SECRET_KEY": ours,
        "DRUMBEAT_ENCRYPTION_KEYS": ours,
    }


def _knows(service: Service) -> bool:
    return any("known" in value for value in service.environment.values())


def test_files_that_are_mounted_are_there(service: Service) -> None:
    for mount in service.settings.get("volumes", ()):
        source, _, options = mount.partition(":")
        if source.startswith("."):
            assert (ROOT / source).is_file()
            assert options.endswith(":ro")


def test_the_servers_are_those_of_a_local_start() -> None:
    assert SERVICES["temporal"].image == f"temporalio/server:{temporal_build.SERVER.version}"
    tools = f"temporalio/admin-tools:{temporal_build.SERVER.version}"
    assert SERVICES["temporal-schema"].image == tools
    assert SERVICES["temporal-ui"].image == f"temporalio/ui:{temporal_build.UI.version}"
    assert SERVICES["postgres"].image == f"postgres:{postgres.MAJOR}"


def test_the_collector_reads_the_metrics_of_every_part() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "otel" / "collector.yaml").read_text())
    jobs = config["receivers"]["prometheus"]["config"]["scrape_configs"]
    targets = {it for job in jobs for group in job["static_configs"] for it in group["targets"]}
    expected = {f"{it.name}:9464" for it in OURS if it.command[0] == "worker"} | {"gateway:8000"}
    assert targets == expected
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= config[kind].keys()


def test_the_image_is_built_from_the_lock_and_runs_without_root() -> None:
    text = DOCKERFILE.read_text()
    makefile = (ROOT / "Makefile").read_text()
    uv = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert uv is not None
    assert f"uv=={uv[1]}\n" in text
    installs = re.findall(r"uv sync (.*)", text)
    assert all("--locked --no-dev --no-editable" in it for it in installs)
    last = text[text.rindex("\nFROM ") :]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 0
    assert "uv" not in last


def test_the_image_holds_every_package_and_no_secret() -> None:
    text = DOCKERFILE.read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"COPY {package} {package}\n" in text
    copied = {
        it
        for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE)
        for it in line.split()
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    lines = [line for line in ignored if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert copied == {line[1:] for line in lines if line.startswith("!")}
    assert "**/.env*" in lines
    assert not re.search(r"^(ARG|ENV) .*(PASSWORD|SECRET|KEY|TOKEN)", text, re.MULTILINE)
