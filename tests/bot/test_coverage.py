"""What was read of a change when not all of its parts were: exact to the line."""

import pytest

from bot.diffs import Pass, Reading, covered, fit, planned


def added(path: str, lines: int) -> str:
    """A file that a diff adds."""
    body = "".join(f"+line {n:04} of a file\n" for n in range(lines))
    return (
        f"diff --git a/{path} b/{path}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n{body}"
    )


def reading(*files: tuple[str, int], name: str = "o/r#1", chars: int = 3_000) -> Reading:
    """A change that adds files, in parts of so many characters."""
    diff = "".join(added(path, lines) for path, lines in files)
    return Reading("", name, "", "", "", (), fit(diff, part_chars=chars, parts=8))


THREE = reading(("auth.py", 100), ("b.py", 250), ("c.md", 5))


def test_each_part_says_what_it_holds() -> None:
    """The lines of all parts together are those that are shown, file by file."""
    held = [{one.path: one.lines for one in part} for part in THREE.fitted.held]

    assert len(held) == len(THREE.fitted.parts)
    assert sum(part.get("b.py", 0) for part in held) == 250
    assert sum(sum(part.values()) for part in held) == THREE.fitted.coverage.lines


def test_all_parts_are_all_of_it() -> None:
    """Where every part was read, nothing is missing."""
    every = [Pass(0, n) for n in range(1, THREE.parts + 1)]

    assert covered([THREE], every) == "Read: 3 of 3 files, 355 of 355 changed lines."


def test_a_lost_part_is_said_with_its_reason() -> None:
    """Files of it that stand nowhere else are not read, others in part; the reason is told, the lines are counted."""
    lost = Pass(0, 2)
    read = [Pass(0, n) for n in range(1, THREE.parts + 1) if n != lost.n]
    (held,) = [one for one in THREE.fitted.held[1] if one.path == "b.py"]
    told = covered([THREE], read, {lost: "Claude declined to read this part"})

    assert f"{355 - held.lines} of 355 changed lines" in told
    assert (
        f"b.py (Claude declined to read this part: {250 - held.lines} of its 250 lines are read)"
        in told
    )


def test_nothing_read_is_said_too() -> None:
    """Where no part was read, no file and no line is."""
    assert covered([THREE], []).startswith("Read: 0 of 3 files, 0 of 355 changed lines; not read: ")


def test_an_empty_change_has_no_coverage() -> None:
    """Of nothing nothing can be read."""
    assert covered([reading()], []) == ""


def test_several_changes_are_told_one_by_one() -> None:
    """Each with its name, so that nobody adds them up."""
    two = [reading(("a.py", 1), name="o/r#1"), reading(("b.py", 2), name="o/r#2")]

    assert covered(two, [Pass(0, 1), Pass(1, 1)]).split("\n") == [
        "Read of o/r#1: 1 of 1 file, 1 of 1 changed line.",
        "Read of o/r#2: 1 of 1 file, 2 of 2 changed lines.",
    ]


@pytest.mark.parametrize(("most", "parts"), [(8, 4), (2, 2), (1, 0)])
def test_passes_are_bounded(most: int, parts: int) -> None:
    """As many parts are read one by one as there may be passes; one pass is no pass but the request itself."""
    change = reading(("auth.py", 100), ("b.py", 300))

    assert change.parts == 4
    assert planned([change], most) == tuple(Pass(0, n) for n in range(1, parts + 1))


def test_what_fits_one_request_has_no_passes() -> None:
    """Small changes are read together."""
    assert planned([reading(("a.py", 3)), reading(("b.py", 3))]) == ()


def test_a_reading_comes_back_from_the_journal_as_it_was() -> None:
    """What is read back after a restart is the same, to the last part."""
    assert Reading.from_json(THREE.to_json()) == THREE


def test_an_overview_names_every_file_with_its_part() -> None:
    """Whoever reads one part knows what stands in the others."""
    overview = THREE.overview()

    assert "- auth.py (100 changed lines, part 1)" in overview
    assert "- b.py (250 changed lines, part 2)" in overview
    assert "- c.md (5 changed lines, part" in overview
