"""`ledgerline mapping …`: a change is recorded, checked and compared, and then does exactly what was said."""

import json
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.attended import attended
from tests.pipelines import OpenPipeline
from tests.sandboxes import Firm
from tests.starters.test_command_line import ledgerline
from tests.worker.mapping_records import Compared, recorded, settings_file
from tests.workflows.office import Office
from worker.mapping_diff import compare_clients
from worker.mapping_diff_opportunities import compare_opportunities
from worker.mapping_inputs import read_inputs
from worker.mapping_sides import read_sides

NEW = """\
# Notes stay in the CRM; the work number is written in one form; tags are the industry; the city belongs to the books.
note: null
bus_phone:
  transforms:
    - choose: {prefer: [Mobile, Work, Direct, untyped]}
    - take: {key: number}
    - phone_e164
mob_phone: null
company_industry: {from: tags, transforms: [{join: {key: name}}]}
p_city: {owner: books}
"""
PARTIES: Mapping[str, Mapping[str, Any]] = {
    "Acme": {"about": "Pays late", "phoneNumbers": [{"type": "Work", "number": "+44 20 7946 0018"}]},
    "North": {
        "tags": [{"name": "Gold"}, {"name": "Retail"}],
        "phoneNumbers": [
            {"type": "Work", "number": "+44 20 7946 0018"},
            {"type": "Mobile", "number": "+44 7700 900 123"},
        ],
    },
    "Quist": {"addresses": [{"type": "Office", "city": "Leeds", "country": "United Kingdom"}]},
    "Zoë & Söhne": {"phoneNumbers": [{"type": "Direct", "number": "ask Zoë"}]},
}


async def test_what_the_comparison_says_is_what_the_next_sync_writes(
    office: Office, firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F39, S52: of four clients in step under the shipped mapping two fields of one change; another is held."""
    old, new, inputs = tmp_path / "old.yaml", tmp_path / "new.yaml", tmp_path / "inputs.jsonl"
    parties = {name: await firm.new_party(name=name, **fields) for name, fields in PARTIES.items()}
    async with attended(office):
        for party_id in parties.values():
            await office.sync(party_id)
    before = {client["organization"]: client for client in firm.clients()}
    old.write_text("# as shipped\n")
    new.write_text(NEW)
    await recorded(firm, inputs)

    said = Compared(capsys, old, new, inputs)
    sides = read_sides(old, new, read_inputs(inputs).head, None)
    found = compare_clients(*sides, read_inputs(inputs))
    assert said.code == 1
    assert "clients: 2 of 4 differ" in said.lines
    assert list(found.held) == [parties["Zoë & Söhne"]]

    firm.use_clients(mapping=YAML(typ="safe").load(new))
    async with attended(office):
        for name, party_id in parties.items():
            if name == "Zoë & Söhne":
                await office.announce(party_id)
                assert (await office.hold(party_id)).reason == "rejected"
            else:
                await office.sync(party_id)
    after = {client["organization"]: client for client in firm.clients()}
    written = {
        parties[name]: {field: after[name][field] for field in after[name] if _moved(before[name], after[name], field)}
        for name in PARTIES
    }
    assert {party: fields for party, fields in written.items() if fields} == {
        party: {each.field: each.after for each in writes} for party, writes in found.writes.items()
    }
    assert written[parties["North"]] == {"bus_phone": "+447700900123", "company_industry": "Gold, Retail"}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], field: str) -> bool:
    return field not in ("updated", "last_activity") and before.get(field) != after[field]


async def test_an_estimate_has_the_lines_and_the_total_that_the_comparison_predicted(
    open_with: OpenPipeline, tmp_path: Path
) -> None:
    """S41: 30 % design, the rest building, and 20 % tax, at either CRM."""
    lines = [{"name": "Design", "percent": "30"}, {"name": "Building"}]
    taxes = [{"name": "VAT", "percent": "20"}]
    async with open_with(lines=lines, taxes=taxes) as pipeline:
        record_id = await pipeline.enter("proposal", "1250.50")
        firm, inputs = pipeline.firm, tmp_path / "inputs.jsonl"
        await recorded(firm, inputs)
        flow, clients = dict(pipeline.sales.flow), {"default_currency": "EUR"}
        old = settings_file(tmp_path / "old.yaml", firm, clients=clients, opportunities=flow)
        ours = {**flow, "lines": lines, "taxes": taxes}
        new = settings_file(tmp_path / "new.yaml", firm, clients=clients, opportunities=ours)
        sides = read_sides(old, new, read_inputs(inputs).head, None)
        found = compare_opportunities(*sides, read_inputs(inputs))
        assert found is not None
        (change,), (totals,) = found.changes, found.totals
        predicted = change.new.documents["estimate"]
        assert (change.opportunity_id, totals.difference.minor) == (record_id, 25_010)

        await pipeline.sync(record_id)
        (estimate,) = pipeline.documents("estimate")
        made = [(line["name"], Decimal(line["unit_cost"]["amount"])) for line in estimate["lines"]]
        assert made == [(line.name, Decimal(line.unit_cost)) for line in predicted.lines]
        assert Decimal(estimate["amount"]["amount"]) == predicted.gross.amount == Decimal("1500.60")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as it is typed."""
    return ledgerline(folder, "mapping", *arguments)


def test_the_commands_are_typed_and_end_with_the_code_that_a_script_can_ask(tmp_path: Path) -> None:
    """S52: 0 all is well, 1 mistakes, 2 it could not be done."""
    (tmp_path / "mine.yaml").write_text("note: null\n")
    assert run(tmp_path, "check", "mine.yaml").stdout == "mine.yaml: all is well\n"
    (tmp_path / "mine.yaml").write_text("note: {owner: nobody}\n")
    wrong = run(tmp_path, "check", "mine.yaml")
    assert (wrong.returncode, wrong.stdout.splitlines()[0].split(": ")[0]) == (1, "mine.yaml:1:8")
    absent = run(tmp_path, "diff", "mine.yaml", "mine.yaml", "--inputs", "none.jsonl")
    assert (absent.returncode, absent.stderr) == (2, "none.jsonl: No such file or directory\n")
    assert json.loads(run(tmp_path, "schema").stdout)["properties"]["note"]


def test_a_command_without_what_it_needs_is_a_mistake(tmp_path: Path) -> None:
    assert run(tmp_path, "record", "inputs.jsonl").returncode == 2
    assert run(tmp_path, "diff", "old.yaml").returncode == 2
    nowhere = run(tmp_path, "record", "inputs.jsonl", "--connection", "acme")
    assert (nowhere.returncode, nowhere.stderr) == (
        2,
        "there is no connection acme in the settings (none is configured)\n",
    )
