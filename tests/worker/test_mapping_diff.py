"""`ledgerline mapping diff`: what another mapping, or other settings, would do to recorded records."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import CapsuleSales, sell
from tests.sandboxes import Firm
from tests.worker.mapping_records import Compared, recorded, settings_file

PHONE = """\
bus_phone:
  transforms:
    - choose: {prefer: [Work, Direct, untyped], exclude: [Fax, Mobile, Home]}
    - take: {key: number}
    - phone_e164
"""
SALES: Mapping[str, Any] = {"estimate_from": ["Proposal"], "milestones": {"Won": "accepted"}}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The shipped mapping, another mapping, and the recorded inputs."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("# as shipped\n")
    return old, new, tmp_path / "inputs.jsonl"


async def test_the_same_rules_written_otherwise_are_no_difference(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, inputs = files
    await firm.new_party()
    await recorded(firm, inputs)
    new.write_text("p_city: {owner: crm}\n")
    compared = Compared(capsys, old, new, inputs)
    assert (compared.code, compared.lines[-1]) == (0, "nothing differs")


async def test_each_field_is_counted_and_no_value_is_shown_unasked(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """F39: a change of the mapping is a planned difference."""
    old, new, inputs = files
    first = await firm.new_party(name="Acme Ltd", tags=[{"name": "Gold"}])
    await firm.new_party(name="North Ltd")
    third = await firm.new_party(name="Quist Ltd", tags=[{"name": "Silver"}])
    await recorded(firm, inputs)
    new.write_text("company_industry: {from: tags, transforms: [{join: {key: name}}]}\n")
    compared = Compared(capsys, old, new, inputs)
    assert compared.code == 1
    assert "company_industry: added" in compared.lines
    assert "clients: 2 of 3 differ" in compared.lines
    assert f"company_industry of 2 clients (party {first}, {third})" in compared.lines
    assert "Gold" not in compared.text
    assert "company_industry: (empty) -> 'Gold'" in Compared(capsys, old, new, inputs, "--values").lines


async def test_who_is_newly_left_out_and_taken_in_is_named(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """S56."""
    old, new, inputs = files
    await firm.new_party(name="Acme Ltd")
    person = await firm.new_party(type="person", name=None, firstName="Nora", lastName="Quist")
    await recorded(firm, inputs)
    new.write_text("when: 'type == \"organisation\"'\n")
    compared = Compared(capsys, old, new, inputs)
    assert compared.lines[-3:] == ["clients: 1 of 2 differ", "newly left out: 1", f"party {person}"]
    back = Compared(capsys, new, old, inputs)
    assert back.lines[-2:] == ["newly taken in: 1", f"party {person}"]


async def test_whoever_a_stricter_mapping_cannot_read_is_named_with_the_reason_and_without_the_value(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """S54, Z36."""
    old, new, inputs = files
    party = await firm.new_party(phoneNumbers=[{"type": "Work", "number": "ask Nora"}])
    await recorded(firm, inputs)
    new.write_text(PHONE)
    compared = Compared(capsys, old, new, inputs)
    assert "newly held: 1" in compared.lines
    assert f"party {party}: bus_phone: is no phone number" in compared.text
    assert "ask Nora" not in compared.text
    assert "no longer held: 1" in Compared(capsys, new, old, inputs).lines


async def test_another_spelling_that_the_new_mapping_takes_for_the_same_is_no_difference(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Z140: a client that says 020 7946 0018 is not rewritten, because the new mapping reads it as the same number."""
    old, new, inputs = files
    await firm.new_party(phoneNumbers=[{"type": "Work", "number": "020 7946 0018"}])
    await recorded(firm, inputs)
    new.write_text(PHONE)
    compared = Compared(capsys, old, new, inputs)
    assert "bus_phone: transforms" in compared.lines
    assert "clients: 0 of 1 differ" in compared.lines
    assert compared.code == 1, "other rules are a difference, whomever they concern"


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ("crm", "bus_phone of 1 client (party {})"),
        ("books", "bus_phone of 1 party (party {})"),
        ("ask", "party {}: both sides changed: bus_phone"),
    ],
)
async def test_where_the_new_mapping_sees_both_sides_moved_the_fields_owner_decides(
    two_way_firm: Firm,
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    owner: str,
    said: str,
) -> None:
    """S55: the number is another one, and is also written in another form than both last agreed on."""
    old, new, inputs = files
    numbers = [{"type": "Work", "number": "020 7946 0018"}, {"type": "Mobile", "number": "07700 900123"}]
    party = await two_way_firm.new_party(phoneNumbers=numbers)
    await recorded(two_way_firm, inputs)
    choice = "[{choose: {prefer: [Mobile, Work]}}, {take: {key: number}}, phone_e164]"
    new.write_text(
        f"bus_phone: {{owner: {owner}, transforms: {choice}}}\nmob_phone: null\nhome_phone: null\nfax: null\n"
    )
    assert said.format(party) in Compared(capsys, old, new, inputs).lines


async def test_the_connections_own_defaults_are_those_of_the_comparison(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The firm's phone region is GB and its currency EUR: a mapping file does not say so, the inputs do."""
    old, new, inputs = files
    await firm.new_party(phoneNumbers=[{"type": "Mobile", "number": "020 7946 0018"}])
    await recorded(firm, inputs)
    new.write_text(
        "mob_phone: null\n"
        "fax: {from: phoneNumbers, transforms: [{only: {types: [Mobile]}}, {take: {key: number}}, phone_e164]}\n"
    )
    said = Compared(capsys, old, new, inputs, "--values").lines
    assert "fax: (empty) -> '+442079460018'" in said
    assert "mob_phone: no longer synced" in said


async def test_lines_and_totals_of_opportunities_are_compared_to_the_cent(
    firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S41: 30 % of 1250.50 is 375.15; 20 % tax on 375.15 and on 875.35 is 75.03 and 175.07."""
    sell(firm)
    sales = CapsuleSales(firm)
    proposal = await sales.enter("proposal", "1250.50")
    await sales.enter("proposal", "333.33", "GBP")
    await sales.enter("new", "700")
    inputs = tmp_path / "inputs.jsonl"
    await recorded(firm, inputs)
    lines = [{"name": "Design", "percent": 30}, {"name": "Building"}]
    taxes = [{"name": "VAT", "percent": 20}]
    old = settings_file(tmp_path / "old.yaml", firm, opportunities=SALES)
    new = settings_file(tmp_path / "new.yaml", firm, opportunities={**SALES, "lines": lines, "taxes": taxes})
    compared = Compared(capsys, old, new, inputs)
    assert compared.code == 1
    for line in (
        "opportunities.lines",
        "opportunities: 2 of 3 differ",
        "estimate lines: 2",
        "estimate total: 2",
        f"opportunity {proposal}, estimate: 1 line -> 2 lines",
        "1 -> 1 estimates: 1250.50, 1500.60, +250.10 EUR (+25,010 minor units)",
        "1 -> 1 estimates: 333.33, 400.00, +66.67 GBP (+6,667 minor units)",
    ):
        assert line in compared.lines
    assert "Website" not in compared.text
    assert "+ 1 x 375.15 'Design', VAT 20 %" in Compared(capsys, old, new, inputs, "--values").lines


async def test_an_invoice_that_would_not_be_made_or_would_wait_is_counted(
    firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was invoiced under the old settings is missing in the sum of the new ones."""
    sell(firm)
    sales = CapsuleSales(firm)
    won = await sales.enter("won", "4800")
    inputs = tmp_path / "inputs.jsonl"
    await recorded(firm, inputs)
    old = settings_file(tmp_path / "old.yaml", firm, opportunities=SALES)
    none = settings_file(tmp_path / "none.yaml", firm, opportunities={**SALES, "invoice": "none"})
    above = settings_file(tmp_path / "above.yaml", firm, opportunities={**SALES, "approvals": {"above": {"EUR": 4000}}})
    said = Compared(capsys, old, none, inputs).lines
    assert "invoice no longer made: 1" in said
    assert "1 -> 0 invoices: 4800.00, 0.00, -4800.00 EUR (-480,000 minor units)" in said
    assert "invoice waits for approval: 1" in Compared(capsys, old, above, inputs).lines
    assert f"opportunity {won}, invoice: 1 line -> none" in said


async def test_a_party_that_is_left_out_leaves_its_opportunity_without_documents(
    firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S56: no client, no estimate."""
    sell(firm)
    opportunity = await CapsuleSales(firm).enter("proposal", "100")
    inputs = tmp_path / "inputs.jsonl"
    await recorded(firm, inputs)
    old = settings_file(tmp_path / "old.yaml", firm, opportunities=SALES)
    people = {"mapping": {"when": 'type == "person"'}}
    new = settings_file(tmp_path / "new.yaml", firm, opportunities=SALES, clients=people)
    said = Compared(capsys, old, new, inputs).lines
    assert f"opportunity {opportunity}: waits for a client of its party" in said
    assert "1 -> 0 estimates: 100.00, 0.00, -100.00 EUR (-10,000 minor units)" in said


async def test_a_connection_that_begins_to_sync_opportunities_takes_them_in(
    firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sell(firm)
    opportunity = await CapsuleSales(firm).enter("proposal", "100")
    inputs = tmp_path / "inputs.jsonl"
    await recorded(firm, inputs)
    old, new = (
        settings_file(tmp_path / "old.yaml", firm),
        settings_file(tmp_path / "new.yaml", firm, opportunities=SALES),
    )
    said = Compared(capsys, old, new, inputs).lines
    assert said[said.index("newly taken in: 1") + 1] == f"opportunity {opportunity}"


async def test_a_mapping_with_mistakes_is_not_compared_and_every_mistake_is_said(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """S54."""
    old, new, inputs = files
    await recorded(firm, inputs)
    new.write_text("fnam: {owner: crm}\np_city: {owner: nobody}\n")
    compared = Compared(capsys, old, new, inputs)
    assert (compared.code, compared.text) == (2, "")
    assert f"{new}:1:1: fnam" in compared.mistake
    assert f"{new}:2:10: p_city.owner" in compared.mistake


async def test_what_cannot_be_compared_is_said_with_its_spot(
    firm: Firm, files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new, inputs = files
    await recorded(firm, inputs)
    settings = settings_file(tmp_path / "settings.yaml", firm)
    other = tmp_path / "other.yaml"
    other.write_text("connections:\n  north:\n    zoho_crm: {token: x}\n")
    new.write_text("note: [1\nfax: {\n")
    assert "one is a settings file, the other a mapping" in Compared(capsys, old, settings, inputs).mistake
    assert f"there is no connection {firm.name}" in Compared(capsys, settings, other, inputs).mistake
    assert f"{new}:2:4: not valid YAML" in Compared(capsys, old, new, inputs).mistake
    zoho = Compared(capsys, other, other, inputs, "--connection", "north")
    assert (zoho.code, "records of one CRM say nothing about another" in zoho.mistake) == (2, True)
