"""`ledgerline mapping record`: records of a connection's CRM, in a file that only its owner may read."""

import json
import stat
from pathlib import Path

import pytest

from store.store import Store
from tests.pipelines import SALES, sell
from tests.sandboxes import NUMBERS, Firm, open_firm
from tests.worker.mapping_records import recorded
from tests.zoho_firms import CONTACTS, ZohoPeople
from worker.mapping_files import NotUsable
from worker.mapping_inputs import read_inputs


async def test_the_first_line_says_what_the_file_is_of_whom_and_when(firm: Firm, tmp_path: Path) -> None:
    await firm.new_party()
    said = await recorded(firm, tmp_path / "inputs.jsonl")
    head = json.loads((tmp_path / "inputs.jsonl").read_text().splitlines()[0])
    assert (head["what"], head["connection"], head["crm"]) == ("ledgerline recorded inputs", firm.name, "capsule")
    assert head["recorded_at"].endswith("Z")
    assert "1 parties and 0 opportunities" in said


async def test_only_its_owner_may_read_the_file_and_the_command_says_why(firm: Firm, tmp_path: Path) -> None:
    """It holds what people have entered of other people."""
    await firm.new_party()
    said = await recorded(firm, tmp_path / "inputs.jsonl")
    assert stat.S_IMODE((tmp_path / "inputs.jsonl").stat().st_mode) == 0o600
    assert "holds personal data" in said
    assert list(tmp_path.glob(".inputs*")) == []


async def test_what_is_read_back_is_what_the_crm_has_shown(firm: Firm, tmp_path: Path) -> None:
    field = await firm.new_field("VAT number")
    number = {"definition": {"id": field}, "value": "GB 123"}
    party_id = await firm.new_party(name="Zoë & Söhne", fields=[number], tags=[{"name": "VIP"}])
    await recorded(firm, tmp_path / "inputs.jsonl")
    inputs = read_inputs(tmp_path / "inputs.jsonl")
    (party,) = inputs.parties
    assert (party.id, party.is_organisation, party.name) == (party_id, True, "Zoë & Söhne")
    assert party.document["fields"][0]["value"] == "GB 123"
    assert inputs.head.field_ids["VAT number"] == field


async def test_a_limit_ends_the_list_and_the_file_says_that_it_is_a_part(firm: Firm, tmp_path: Path) -> None:
    for number in range(3):
        await firm.new_party(name=f"Acme {number}")
    said = await recorded(firm, tmp_path / "inputs.jsonl", limit=2)
    inputs = read_inputs(tmp_path / "inputs.jsonl")
    assert (len(inputs.parties), inputs.head.is_part) == (2, True)
    assert "The CRM has more" in said


@pytest.mark.parametrize("crm", SALES)
async def test_opportunities_are_recorded_where_the_connection_syncs_them(
    sqlite_store: Store, tmp_path: Path, crm: str
) -> None:
    """S41: with the exact amount, and the milestones of all pipelines."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}", crm=crm) as firm:
        sell(firm)
        await SALES[crm](firm).enter("proposal", "1250.50")
        await recorded(firm, tmp_path / "inputs.jsonl")
        inputs = read_inputs(tmp_path / "inputs.jsonl")
        (opportunity,) = inputs.opportunities
        assert opportunity.name == "Website rebuild"
        assert f"{opportunity.amount:.2f}" == "1250.50"
        assert opportunity.milestone in inputs.head.milestones


async def test_a_record_of_zoho_is_recorded_with_fields_that_no_mapping_names_yet(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """Else a new mapping would find them empty."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}", crm="zoho_crm") as firm:
        await ZohoPeople(firm).enter(CONTACTS, Last_Name="Lovelace", Department="Engines")
        await recorded(firm, tmp_path / "inputs.jsonl")
        (party,) = read_inputs(tmp_path / "inputs.jsonl").parties
        assert party.document["Department"] == "Engines"


async def test_a_connection_that_does_not_exist_is_a_mistake(firm: Firm, tmp_path: Path) -> None:
    firm.name, known = "nobody", firm.name
    with pytest.raises(NotUsable, match=rf"there is no connection nobody in the settings \({known}\)"):
        await recorded(firm, tmp_path / "inputs.jsonl")


async def test_nothing_is_written_while_the_crm_cannot_be_read(firm: Firm, tmp_path: Path) -> None:
    firm.crm_fault(fault="status", status=503)
    with pytest.raises(NotUsable, match="Nothing was written: run the command again"):
        await recorded(firm, tmp_path / "inputs.jsonl")
    assert not (tmp_path / "inputs.jsonl").exists()


def test_a_file_that_nobody_recorded_is_refused_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "inputs.jsonl"
    file.write_text('{"what": "something else"}\n')
    with pytest.raises(NotUsable, match=rf"{file}:1:1: the first line does not say that these are recorded inputs"):
        read_inputs(file)


async def test_a_damaged_line_is_refused_without_quoting_it(firm: Firm, tmp_path: Path) -> None:
    await firm.new_party(name="Acme Ltd")
    file = tmp_path / "inputs.jsonl"
    await recorded(firm, file)
    file.write_text(file.read_text().replace('"Acme Ltd"', '"Acme Ltd', 1))
    with pytest.raises(NotUsable, match=rf"{file}:2:\d+: this line holds no record") as caught:
        read_inputs(file)
    assert "Acme" not in str(caught.value)
