"""docker-compose.yml, checked without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.settings import Settings, described

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICE_KEYS = {
    "build", "cap_drop", "depends_on", "environment", "healthcheck", "image", "mem_limit",
    "networks", "pids_limit", "ports", "read_only", "restart", "secrets", "security_opt",
    "tmpfs", "user", "volumes",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SERVICES))
class TestEveryService:
    def test_uses_known_keys_only(self, name: str) -> None:
        assert set(SERVICES[name]) <= SERVICE_KEYS

    def test_pins_a_plain_image(self, name: str) -> None:
        assert re.fullmatch(r"[a-z0-9-]+:\d+\.\d+\.\d+", SERVICES[name]["image"])

    def test_is_hardened(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["mem_limit"]
        assert service["pids_limit"]

    def test_says_whether_it_is_healthy(self, name: str) -> None:
        assert SERVICES[name]["healthcheck"]["test"]

    def test_names_only_what_is_declared(self, name: str) -> None:
        service = SERVICES[name]
        assert set(service.get("networks", ())) <= set(COMPOSE["networks"])
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        volumes = {entry.split(":")[0] for entry in service.get("volumes", ())}
        assert volumes <= set(COMPOSE["volumes"])
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", ["elasticsearch", "kibana"])
def test_what_has_no_login_listens_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_the_repository_gets_settings_that_exist() -> None:
    known = {"ARR_" + name.upper().replace(".", "__") for name, _, _ in described(Settings)}
    environment = SERVICES["repository"]["environment"]
    assert set(environment) <= known


def test_secrets_are_files_and_not_in_the_repository() -> None:
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "/secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_container_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "USER 10001:10001" in text
    assert "--require-hashes" in text
    assert ":latest" not in text
    assert all(
        re.search(r":\d+\.\d+\.\d+", line) for line in re.findall(r"^FROM .*", text, re.MULTILINE)
    )
