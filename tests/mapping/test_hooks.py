"""Functions of a firm's own in the folder rules/: what they give, and that they can stop no more than one record."""

import time
from pathlib import Path
from typing import Any

import pytest

from mapping.engine import MappingError, Template, UnmappableValue, Value
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, ONE_WAY, address, custom, organisation

REGIONS = '''
LOADED = []
NORTH = ("Norway", "Sweden")

def region_of(party):
    """Return where a customer belongs, by the first address."""
    rows = party["addresses"]
    party["addresses"] = None  # nobody minds
    return None if not rows else "North" if rows[0]["country"] in NORTH else "South"

def endless(party):
    while True:
        pass

def patient(party):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass

def broken(party):
    return party["addresses"][0]["town"]

def leaving(party):
    raise SystemExit("bye")

def a_list(party):
    return [1]

def two(party, other):
    return None

async def waiting(party):
    return None
'''


def template(folder: Path, function: str = "region_of", text: str = REGIONS, **entry: Any) -> Template:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "regions.py").write_text(text, encoding="utf-8")
    rule = {"from": ["addresses", "fields[Region]"], "enrich": f"regions:{function}", **entry}
    return ONE_WAY.with_overrides({"company_industry": rule}, folder)


def region(mapping: Template, **parts: Any) -> Value:
    return mapping.crm_values(organisation(**parts), NO_DEFAULTS)["company_industry"]


def stopped(mapping: Template) -> str:
    with pytest.raises(UnmappableValue) as failed:
        region(mapping, addresses=[address(country="Norway")])
    return str(failed.value)


def refusal(folder: Path, function: str = "region_of", text: str = REGIONS, **entry: Any) -> MappingError:
    with pytest.raises(MappingError) as refused:
        template(folder, function, text, **entry)
    return refused.value


def test_a_function_of_the_firm_gives_a_field_its_value(tmp_path: Path) -> None:
    """S58, Z34"""
    mapping = template(tmp_path)
    assert region(mapping, addresses=[address(country="Norway")]) == "North"
    assert region(mapping, addresses=[address(country="Italy")]) == "South"
    assert region(mapping) is None


def test_it_is_given_what_the_entry_names_and_nothing_it_could_spoil(tmp_path: Path) -> None:
    seen = "def seen(party):\n    party['addresses'].clear()\n    return ', '.join(sorted(party))\n"
    party = organisation(addresses=[address(country="Norway")], fields=[custom("Region", "x")])
    mapping = template(tmp_path, "seen", seen)
    assert mapping.crm_values(party, NO_DEFAULTS)["company_industry"] == "addresses, fields[Region]"
    assert party["addresses"] == [address(country="Norway")]


def test_transforms_tables_and_defaults_come_behind_it(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("key,value\nnorth,Nordic\n", encoding="utf-8")
    lookup = {"table": "words.csv", "missing": "default"}
    mapping = template(tmp_path, transforms=["trim"], lookup=lookup, default="elsewhere")
    assert region(mapping, addresses=[address(country="Norway")]) == "Nordic"
    assert region(mapping, addresses=[address(country="Italy")]) == "elsewhere"


def test_an_error_of_the_function_stops_that_record_with_its_name_and_no_value(tmp_path: Path) -> None:
    """S54"""
    text = "company_industry: regions:broken failed with KeyError: correct the function, or the record"
    assert stopped(template(tmp_path, "broken")) == text
    assert "regions:leaving failed with SystemExit" in stopped(template(tmp_path, "leaving"))
    assert "regions:a_list returned list: return a text, yes/no or None" in stopped(template(tmp_path, "a_list"))


@pytest.mark.parametrize("function", ["endless", "patient"])
def test_a_function_that_does_not_end_is_stopped_after_a_second(tmp_path: Path, function: str) -> None:
    mapping, began = template(tmp_path, function), time.monotonic()
    assert f"regions:{function} took longer than 1 s" in stopped(mapping)
    assert time.monotonic() - began < 5


def test_a_function_that_is_late_three_times_is_not_asked_again(tmp_path: Path) -> None:
    """A page of a sweep has a hundred records, and a worker that does nothing else for minutes counts as dead."""
    mapping = template(tmp_path, "endless")
    assert ["took longer" in stopped(mapping) for _ in range(3)] == [True, True, True]
    assert "regions:endless did not end in time, and is not asked again before the next start" in stopped(mapping)


def test_a_function_that_cannot_be_stopped_is_not_asked_again(tmp_path: Path) -> None:
    """It waits outside of Python: every record would cost another thread."""
    mapping = template(tmp_path, "sleeping", "import time\ndef sleeping(party):\n    time.sleep(4)\n")
    assert "took longer than 1 s" in stopped(mapping)
    began = time.monotonic()
    assert "regions:sleeping did not end in time, and is not asked again before the next start" in stopped(mapping)
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize(
    ("function", "text", "says"),
    [
        ("nobody", REGIONS, "rules/regions.py has no function nobody. It has: region_of, endless, patient"),
        ("NORTH", REGIONS, "has no function NORTH"),
        ("two", REGIONS, "regions:two must take one dictionary"),
        ("waiting", REGIONS, "regions:waiting must be a plain function"),
        ("region_of", "def region_of(party:\n", "rules/regions.py:1:14: no readable Python"),
        ("region_of", "import os\n\nraise OSError('x')\n", "rules/regions.py:3: OSError while it was loaded"),
        ("region_of", "import nowhere_to_be_found\n", "rules/regions.py:1: ModuleNotFoundError while it was loaded"),
        ("region-of", REGIONS, "write module:function"),
    ],
)
def test_a_function_that_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, function: str, text: str, says: str
) -> None:
    """S54"""
    error = refusal(tmp_path, function, text)
    assert error.path == ("company_industry", "enrich")
    assert says in str(error)


def test_a_missing_file_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"rules/regions\.py: No such file or directory; it lies beside"):
        ONE_WAY.with_overrides({"note": {"enrich": "regions:region_of"}}, tmp_path)


def test_a_function_needs_to_be_told_what_it_gets_and_goes_one_way(tmp_path: Path) -> None:
    template(tmp_path)
    with pytest.raises(MappingError, match=r"^company_size\.enrich: needs `from`"):
        ONE_WAY.with_overrides({"company_size": {"enrich": "regions:region_of"}}, tmp_path)
    assert "cannot be undone" in str(refusal(tmp_path, direction="both"))


def test_a_file_is_run_once_however_many_fields_and_connections_name_it(tmp_path: Path) -> None:
    counting = f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\ndef same(party):\n    return 'x'\n"
    template(tmp_path, "same", counting)
    template(tmp_path, "same", counting)
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "x"


def test_another_source_of_the_function_is_another_version(tmp_path: Path) -> None:
    """F37"""
    first = template(tmp_path)
    assert template(tmp_path).version == first.version
    assert template(tmp_path, text=REGIONS.replace("Sweden", "Finland")).version != first.version


def test_the_functions_of_a_folder_serve_what_is_changed_later(tmp_path: Path) -> None:
    """S52: a connection that is switched to one way keeps its tables and functions."""
    mapping = template(tmp_path).one_way().with_overrides({"note": None})
    assert region(mapping, addresses=[address(country="Norway")]) == "North"
    assert "company_industry" not in CLIENTS.rules
