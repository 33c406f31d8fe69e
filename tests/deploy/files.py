"""The files of the deployment, read for the tests."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
COMPOSE_FILE = TOP / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(COMPOSE_FILE)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("ledgerline:")}
ONE_SHOT = {"temporal-schema", "temporal-namespace", "schedules"}
SCRIPTS = sorted(DEPLOY.rglob("*.sh"))
