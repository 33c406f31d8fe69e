"""Settings files that cannot be read say so with file, line and remedy, and never take the machine down."""

import time
from pathlib import Path

import pytest

from runtime.load import WrongSettings, load_settings
from runtime.yaml_file import MAX_BYTES, UnreadableFile, YamlFile


def read(content: str | bytes) -> YamlFile:
    """Return a file with this content, read."""
    path = Path("ledgerline.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return YamlFile(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(WrongSettings, match=r"^firm\.yaml: No such file or directory$"):
        load_settings(Path("firm.yaml"))


def test_a_folder_is_no_settings_file() -> None:
    Path("firm.yaml").mkdir()
    with pytest.raises(WrongSettings, match=r"^firm\.yaml: Is a directory$"):
        load_settings(Path("firm.yaml"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"receiver:\n  host: M\xfcnchen\n", r"^ledgerline\.yaml:2: not UTF-8 text; save the file as UTF-8$"),
        ("a: 1".encode("utf-16"), r"^ledgerline\.yaml:1: not UTF-8 text"),
        ("receiver:\n\tport: 1", r"^ledgerline\.yaml:2: not valid YAML: found character '\\t'"),
        ("a: 1\nb: [1, 2", r"^ledgerline\.yaml:2: not valid YAML"),
        ("a: 1\na: 2", r'^ledgerline\.yaml:2: not valid YAML: found duplicate key "a"$'),
        ("a: 1\nb: *gone", r"^ledgerline\.yaml:2: not valid YAML: a value that begins with \* must stand in quotes$"),
        ("a: 1\n---\nb: 2", r"^ledgerline\.yaml:2: not valid YAML: but found another document$"),
        (b"a: \x00", r"^ledgerline\.yaml: not valid YAML: unacceptable character #x0000"),
        ("- a\n- b", r"^ledgerline\.yaml:1: the file must hold `name: value` lines"),
        ("just words", r"^ledgerline\.yaml:1: the file must hold `name: value` lines"),
        ("since: 2026-13-45", r"^ledgerline\.yaml: a date or number in it cannot be one: month must be in 1\.\.12"),
        ("records: " + "9" * 5000, r"^ledgerline\.yaml: a date or number in it cannot be one"),
    ],
)
def test_an_unreadable_file_is_refused_with_its_place_and_reason(content: str | bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said) as refused:
        read(content)
    assert "\n" not in str(refused.value)


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableFile, match=r"larger than 1,000,000 bytes; a settings file is a few kilobytes"):
        read(b"a: 1\n" * (MAX_BYTES // 5 + 1))
    assert time.monotonic() - began < 1


def test_a_file_that_unfolds_to_billions_of_values_is_refused() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(UnreadableFile, match="more than 30 YAML aliases; write the values out"):
        read(f"a0: &a0 [x]\n{levels}")


def test_a_file_that_unfolds_without_spaces_between_is_refused_too() -> None:
    levels = "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(UnreadableFile, match="more than 30 YAML aliases"):
        read(f"a0: &a0 [x]\n{levels}")


def test_a_few_aliases_are_welcome_and_asterisks_in_texts_are_no_aliases() -> None:
    product = " * ".join(["rate"] * 60)
    values = read(f'a: &a {{x: 1}}\nb: *a\nc: "{product}"\n').values
    assert values == {"a": {"x": 1}, "b": {"x": 1}, "c": product}


def test_brackets_without_end_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="brackets within brackets"):
        read("a: " + "[" * 1000)


def test_norway_is_a_country_and_half_past_twelve_a_time() -> None:
    """YAML 1.2: `NO` is a country's code, not a no."""
    values = read("country: NO\nat: 12:30\nname: 'yes'\non: true\nnone: null\n").values
    assert values == {"country": "NO", "at": "12:30", "name": "yes", "on": True, "none": None}


def test_no_object_is_made_from_a_file() -> None:
    values = read('a: !!python/object/apply:os.system ["touch made"]').values
    assert values == {"a": ["touch made"]}
    assert not Path("made").exists()


def test_the_line_of_a_setting_is_that_of_the_deepest_part_that_is_there() -> None:
    file = read("a: 1\nb:\n  - x\n  - y: 2\n    z: 3\n")
    assert file.line(("b", 1, "z")) == 5
    assert file.line(("b", 1, "missing")) == 4
    assert file.line(("b", 9)) == 2
    assert file.line(("missing",)) is None
