"""Named SQL: each statement with a comment and a name of its own, found in its file."""

from pathlib import Path

import pytest

from bot.store.statements import load


def test_statements_are_found_by_file_and_name(tmp_path: Path) -> None:
    """The comment stays in the file; the SQL comes without its semicolon."""
    text = (
        "-- name: one\n-- The first.\nSELECT 1;\n\n-- name: two\n-- The\n-- second.\nSELECT\n  2;\n"
    )

    (tmp_path / "words.sql").write_text(text)
    (tmp_path / "words.txt").write_text("Nothing of ours.")

    assert load(tmp_path) == {
        "words.one": "SELECT 1",
        "words.two": "SELECT\n  2",
    }


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\nSELECT 1;\n",
        "-- name: one\n-- The first.\n",
        "-- name: one\n-- A.\nSELECT 1;\n-- name: one\n-- B.\nSELECT 2;\n",
    ],
    ids=["without a comment", "without SQL", "named twice"],
)
def test_what_is_missing_is_named(tmp_path: Path, text: str) -> None:
    """A statement without a comment, SQL or a name of its own is refused, by its file and name."""
    (tmp_path / "words.sql").write_text(text)

    with pytest.raises(ValueError, match=r"words\.sql: the statement one"):
        load(tmp_path)
