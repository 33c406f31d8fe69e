"""Recording the inputs of a firm's sandbox, and what tests ask of two mappings."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

import worker.mapping_record
from connectors.http import http_client
from tests.sandboxes import Firm, Switchboard
from worker.mapping_command import main
from worker.mapping_record import Asked, record


async def recorded(firm: Firm, file: Path, limit: int = 1000) -> str:
    """Record a firm's CRM as it is now, and return what the command says."""
    sandbox = firm.sandbox
    switchboard = Switchboard(capsule=sandbox.capsule, freshbooks=sandbox.freshbooks, zoho=sandbox.zoho_crm)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.mapping_record, "http_client", lambda: http_client(switchboard))
        return await record(firm.settings, Asked(firm.name, file, limit))


def settings_file(file: Path, firm: Firm, **sections: object) -> Path:
    """Write settings in which the firm's connection has these sections, without its tokens."""
    accounts = {firm.connection.crm: {"token": "unused"}, "freshbooks": {"token": "unused", "account_id": "a1"}}
    YAML().dump({"connections": {firm.name: {**accounts, **sections}}}, file)
    return file


class Compared:
    """What `ledgerline mapping diff` says: its exit code and its lines."""

    def __init__(self, capsys: pytest.CaptureFixture[str], old: Path, new: Path, inputs: Path, *more: str) -> None:
        self.code = main(["diff", str(old), str(new), "--inputs", str(inputs), *more])
        said = capsys.readouterr()
        self.text, self.mistake = said.out, said.err

    @property
    def lines(self) -> list[str]:
        """Every line, without the space before it."""
        return [line.strip() for line in self.text.splitlines()]
