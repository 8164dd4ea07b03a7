"""What people said and attached leaves for Claude without its secrets, wherever in it they stand."""

from bot.ask import Attached, FileRef, Said
from bot.documents import INSTEAD, discreet, without_secrets

TOKEN = "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0bC3dE6"
MARK = "[redacted: github-token]"


async def test_messages_without_secrets() -> None:
    """Secrets are hidden in what was said, by whom, and in the names of files beside it; all else stays."""
    file = FileRef("F1", f"{TOKEN}.txt", "text/plain", 9, "")
    said = Said("1.0", "U1", f"Ana {TOKEN}", f"use {TOKEN}", files=(file, file))
    other = Said("2.0", "U2", "Ben", "no")

    first, second = await discreet([said, other], None)

    assert (first.name, first.text) == (f"Ana {MARK}", f"use {MARK}")
    assert [one.name for one in first.files] == [f"{MARK}.txt"] * 2
    assert second == other
    assert await discreet([said], []) == [said]


async def test_files_without_secrets() -> None:
    """Secrets are hidden in names and text; a PDF with one in its words is its text, any other goes as it is."""
    text = Attached(f"{TOKEN}.env", "text/plain", text=f"A={TOKEN}")
    picture = Attached(f"{TOKEN}.png", "image/png", data=b"png")
    keys = Attached("keys.pdf", "application/pdf", data=b"%PDF", pages=2, words=f"it is {TOKEN}")
    plain = Attached("plain.pdf", "application/pdf", data=b"%PDF", pages=1, words="nothing")

    assert await without_secrets([text, picture, keys, plain], None) == (
        Attached(f"{MARK}.env", "text/plain", text=f"A={MARK}"),
        Attached(f"{MARK}.png", "image/png", data=b"png"),
        Attached("keys.pdf", "application/pdf", text=f"{INSTEAD}\nit is {MARK}"),
        Attached("plain.pdf", "application/pdf", data=b"%PDF", pages=1),
    )
