"""`ledgerline mapping check`: every mistake is named at once, with its spot, before anything is started with it."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from runtime.load import WrongSettings
from runtime.settings import Settings
from worker.accounts import check_mappings
from worker.mapping_check import check_file
from worker.mapping_command import main

ACCOUNTS = '    capsule: {token: "env:NOWHERE"}\n    freshbooks: {token: "env:NOWHERE", account_id: abc}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mapping.yaml"


def spots(file: Path, content: str, crm: str = "capsule") -> list[tuple[int, int, str]]:
    """Return line, column and setting of each mistake."""
    file.write_text(content)
    return [(each.line, each.column, each.name) for each in check_file(file, crm)]


def test_every_mistake_of_a_mapping_is_named_at_once_with_line_and_column(file: Path) -> None:
    """S15, S54."""
    content = (
        "fnam: {owner: crm}\n"
        "bus_phone:\n"
        "  ownr: books\n"
        "  direction: sideways\n"
        "  transforms: [trim, {cutt: {length: 3}}]\n"
        "p_city:\n"
        "  owner: nobody\n"
    )
    assert spots(file, content) == [
        (1, 1, "fnam"),
        (3, 3, "bus_phone.ownr"),
        (4, 3, "bus_phone.direction"),
        (5, 22, "bus_phone.transforms.1"),
        (7, 3, "p_city.owner"),
    ]


def test_a_mistake_says_what_is_allowed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Z144."""
    file.write_text("fnam: {owner: crm}\np_city: {owner: nobody}\n")
    assert main(["check", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"{file}:1:1: fnam: FreshBooks clients have no writable field of this name. Did you mean fname?\n" in said
    assert f"{file}:2:10: p_city.owner: Input should be 'crm', 'books', 'newest' or 'ask'\n" in said
    assert "2 to mend; nothing of this would start" in said


def test_a_condition_that_cannot_hold_is_named_with_the_spot_in_its_text(file: Path) -> None:
    """S56, S65."""
    file.write_text("note:\n  owner: books\n  when: 'about == 3'\n")
    (finding,) = check_file(file, "capsule")
    assert (finding.line, finding.column, finding.name) == (3, 3, "note.when")
    assert finding.text.startswith("line 1, column ")


def test_what_another_entry_makes_good_is_no_mistake(file: Path) -> None:
    """Two fields of one spot clash; a field that is taken out clashes with none."""
    wide = "bus_phone:\n  transforms: [{choose: {prefer: [Work, Mobile]}}, {take: {key: number}}, trim]\n"
    assert [name for _, _, name in spots(file, wide)] != []
    assert spots(file, f"{wide}mob_phone: null\nhome_phone: null\nfax: null\n") == []


def test_an_entry_that_is_wrong_does_not_make_its_neighbours_wrong(file: Path) -> None:
    """The transforms are misspelt; that the way back is then unknown is no second mistake."""
    assert spots(file, "organization:\n  transforms: [trm]\n") == [(2, 16, "organization.transforms.0")]


def test_what_is_no_yaml_is_a_mistake_with_line_and_column(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("note: [1\nfax: {\n")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}:2:4: not valid YAML")
    file.write_text("- note\n")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}:1:1: the file must hold")


def test_the_shipped_mapping_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    """Z71."""
    templates = Path(__file__).parents[2] / "mapping" / "templates"
    assert main(["check", str(templates / "capsule-freshbooks" / "clients.yaml")]) == 0
    assert main(["check", str(templates / "zoho_crm-freshbooks" / "clients.yaml"), "--crm", "zoho_crm"]) == 0
    assert "all is well" in capsys.readouterr().out


def test_a_path_of_the_other_crm_is_a_mistake(file: Path) -> None:
    assert spots(file, "fname: {from: firstName}\n", "zoho_crm") == [(1, 9, "fname.from")]


def test_settings_are_checked_where_nobody_knows_the_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change is looked at before it is taken over, on a machine that has no tokens."""
    file = tmp_path / "ledgerline.yaml"
    file.write_text(f"connections:\n  acme:\n{ACCOUNTS}    clients: {{mapping: {{note: null}}}}\n")
    assert main(["check", str(file)]) == 0
    assert "all is well" in capsys.readouterr().out


def test_the_mapping_and_the_opportunities_of_every_connection_are_checked(tmp_path: Path) -> None:
    """S16, S41."""
    content = (
        f"connections:\n  acme:\n{ACCOUNTS}"
        "    clients:\n"
        "      default_currency: XQQ\n"
        "      mapping: {note: {owner: nobody}}\n"
        "    opportunities:\n"
        "      invoice: drafts\n"
        "      milestones: {Won: acepted}\n"
        f"  north:\n{ACCOUNTS}"
        "    oportunities: {}\n"
        "    clients: {mapping: {email: null}}\n"
    )
    assert spots(tmp_path / "ledgerline.yaml", content) == [
        (6, 7, "connections.acme.clients.default_currency"),
        (7, 24, "connections.acme.clients.mapping.note.owner"),
        (9, 7, "connections.acme.opportunities.invoice"),
        (10, 20, "connections.acme.opportunities.milestones.Won"),
        (14, 5, "connections.north.oportunities"),
        (15, 25, "connections.north.clients.mapping.email"),
    ]


def test_a_misspelt_section_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    """Z144: opportunities would silently not be synced."""
    file = tmp_path / "ledgerline.yaml"
    file.write_text(f"connections:\n  acme:\n{ACCOUNTS}    oportunities: {{}}\n")
    (finding,) = check_file(file, "capsule")
    assert "did you mean `opportunities`?" in finding.text


def test_lines_that_do_not_come_to_the_whole_are_a_mistake(tmp_path: Path) -> None:
    lines = "    opportunities: {lines: [{name: Design, percent: 30}]}\n"
    assert spots(tmp_path / "ledgerline.yaml", f"connections:\n  acme:\n{ACCOUNTS}{lines}") == [
        (5, 5, "connections.acme.opportunities")
    ]


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("    capsule: {token: x}\n    zoho_crm: {token: x}\n", "give one CRM"),
        ("    zoho_crm: {token: x}\n    clients: {reference_field: Our reference}\n", "is the API name of a field"),
        ("    clients: {mapping: [note]}\n", "Input should be a valid dictionary"),
        ("    clients: none\n", "Input should be a valid dictionary"),
    ],
)
def test_a_connection_whose_mapping_cannot_be_looked_into_is_still_a_mistake(
    tmp_path: Path, connection: str, said: str
) -> None:
    file = tmp_path / "ledgerline.yaml"
    file.write_text(f"connections:\n  acme:\n{connection}")
    (finding,) = check_file(file, "capsule")
    assert said in finding.text


def test_a_file_without_connections_is_not_passed_for_a_sound_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ledgerline.yaml"
    file.write_text("log_format: json\n")
    assert main(["check", str(file)]) == 2
    assert "names no connection" in capsys.readouterr().err


def test_without_a_file_the_settings_of_the_installation_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGERLINE_CONFIG", raising=False)
    assert main(["check"]) == 2
    assert "there is no ledgerline.yaml here" in capsys.readouterr().err
    (tmp_path / "ledgerline.yaml").write_text(
        f"connections:\n  acme:\n{ACCOUNTS}    clients: {{mapping: {{fnam: null}}}}\n"
    )
    assert main(["check"]) == 1
    assert "ledgerline.yaml:5:25: connections.acme.clients.mapping.fnam" in capsys.readouterr().out


@pytest.mark.parametrize(
    "entries",
    [
        "{note: null}",
        "{note: {owner: nobody}}",
        "{email: null}",
        "{company_industry: {from: tags, transforms: [{join: {key: name}}]}}",
        "{company_industry: {from: tags, transforms: [{join: {key: name}}], direction: both}}",
        "{bus_phone: {transforms: [{choose: {prefer: [Work, Mobile]}}, {take: {key: number}}]}}",
    ],
)
@pytest.mark.parametrize("direction", ["both", "to-books"])
def test_what_the_check_refuses_a_start_refuses_and_nothing_else(tmp_path: Path, entries: str, direction: str) -> None:
    """S52: whoever has checked a change is not surprised by the start."""
    file = tmp_path / "ledgerline.yaml"
    file.write_text(
        "connections:\n  acme:\n    capsule: {token: x}\n    freshbooks: {token: x, account_id: abc}\n"
        f"    clients: {{direction: {direction}, mapping: {entries}}}\n"
    )
    settings = Settings(**YAML(typ="safe").load(file))
    try:
        check_mappings(settings)
    except WrongSettings:
        starts = False
    else:
        starts = True
    assert (check_file(file, "capsule") == []) is starts
