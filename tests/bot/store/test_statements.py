"""Named SQL: each statement with a comment and a name of its own, found in its file."""

from pathlib import Path

import pytest

from bot.store.statements import load


def package(folder: Path, name: str, text: str) -> str:
    """A package with one SQL file."""
    (folder / name).mkdir()
    (folder / name / "words.sql").write_text(text)
    return name


def test_statements_are_found_by_file_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comment stays in the file; the SQL comes without its semicolon."""
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "-- name: one\n-- The first.\nSELECT 1;\n\n-- name: two\n-- The\n-- second.\nSELECT\n  2;\n"
    )

    assert load(package(tmp_path, "well_written", text)) == {
        "words.one": "SELECT 1",
        "words.two": "SELECT\n  2",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("without_comment", "-- name: one\nSELECT 1;\n"),
        ("without_sql", "-- name: one\n-- The first.\n"),
        ("named_twice", "-- name: one\n-- A.\nSELECT 1;\n-- name: one\n-- B.\nSELECT 2;\n"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """A statement without a comment, SQL or a name of its own is refused, by its file and name."""
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"words\.sql: the statement one"):
        load(package(tmp_path, name, text))
