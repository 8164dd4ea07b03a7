"""Cost reports in Slack: the words in any order, figures in cents, a table and a CSV that Slack and spreadsheets take."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.account import Account, Single
from bot.demo.slack.blocks import ALL_TEXT, check, written
from bot.figures import Lost
from bot.report import By, Line, Period, Report
from bot.slack.blocks import markdown
from bot.slack.costs import DIMENSIONS, Query, Unclear, parse
from bot.slack.mrkdwn import shown
from bot.slack.sheets import CSV_ROWS, ROWS, as_csv, as_markdown, money
from bot.slack.split import split

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
MONTH = Period.parse("2026-11", now=NOW, zone=UTC)


def line(key: str, cost: str = "1.234567890123", **over: object) -> Line:
    """A line of a report, as large as lines get."""
    values: dict[str, object] = {
        "asks": 12_345,
        "cost": Decimal(cost),
        "unconfirmed": Decimal("0.123456789012"),
        "refused": Decimal("0.123456789012"),
        "saved": Decimal("123.123456789012"),
        "prompt_tokens": 123_456_789,
        "cached_tokens": 98_765_432,
        "output_tokens": 12_345_678,
        "unpriced": 0,
        **over,
    }
    return Line(key, **values)  # type: ignore[arg-type]


def report(lines: Sequence[Line], by: By = "user", unpriced: Sequence[str] = ()) -> Report:
    """A report of these lines."""
    total = line("total", str(sum((one.cost for one in lines), Decimal(0))))
    return Report(MONTH, by, tuple(lines), total, tuple(unpriced))


def account(report: Report) -> Account:
    """An account with nothing but its sums, a refused ask among them."""
    return Account(report, single=Single(lost=Lost(report.total.refused, 1)))


def names(count: int) -> list[Line]:
    """Lines of people with long names."""
    return [line(f"Maximiliane Featherstonehaugh-Cholmondeley {n}") for n in range(count)]


def as_messages(text: str) -> list[str]:
    """The messages in which Slack shows a report; each must be one that it takes."""
    messages = split(shown(text, lambda _host, _address: False))
    for message in messages:
        assert check([markdown(message)]) == []
        assert written([markdown(message)]) <= ALL_TEXT
    return messages


def rows_of(text: str) -> list[list[str]]:
    """The CSV inside an answer, as a spreadsheet reads it."""
    body = re.search(r"^(`{3,})csv\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    assert body is not None
    return list(csv.reader(io.StringIO(body[2])))


# The words


@pytest.mark.parametrize(
    "words", [*permutations(["last month", "<#C7|shop>", "by model", "as csv"])]
)
def test_the_words_stand_in_any_order(words: tuple[str, ...]) -> None:
    """Period, channel, split and form are understood wherever they stand."""
    assert parse(" ".join(words)) == Query("last month", "C7", "model", csv=True)


@pytest.mark.parametrize(("word", "by"), [*DIMENSIONS.items()])
def test_every_split_is_understood(word: str, by: By) -> None:
    """Each word for a dimension, in any case."""
    assert parse(f"7d BY {word.upper()}") == Query("7d", by=by)


@example("by " + "x" * 5_000)
@given(st.text(max_size=200))
def test_no_words_break_it(text: str) -> None:
    """Whatever was typed is a query, or a short sentence that says what is understood."""
    found = parse(text)

    if isinstance(found, Unclear):
        assert "/cost" in found.sentence
        assert len(found.sentence) < 400
    else:
        assert found.period == " ".join(found.period.split()).lower()


def test_a_forecast_is_part_of_the_month() -> None:
    """Who asks for it gets the month's report, in which it stands."""
    assert parse("forecast") == parse("") == Query()
    assert parse("Forecast by model") == Query(by="model")


def test_a_channel_is_chosen_not_typed() -> None:
    """A name typed by hand could be any channel's: Slack's list tells which."""
    unclear = parse("last month #shop")

    assert isinstance(unclear, Unclear)
    assert unclear.sentence.startswith("Choose the channel")


# The figures


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "$0.00"),
        ("0.0001", "less than $0.01"),
        ("0.01", "$0.01"),
        ("1.235", "$1.24"),
        ("1234567.8", "$1,234,567.80"),
    ],
)
def test_money_is_in_cents(amount: str, words: str) -> None:
    """Half a cent is rounded up; less than a cent but not nothing says so."""
    assert money(Decimal(amount)) == words


def test_a_large_report_fits_into_messages() -> None:
    """The dearest lines are shown, the rest is named and in the total."""
    text = as_markdown(account(report(names(500))), "all channels")

    (message,) = as_messages(text)
    assert message.count("Maximiliane") == ROWS
    assert "| **total** | 12345 | $617.28 | 80% |" in message
    assert f"{500 - ROWS} more lines are in the total" in message


def test_of_many_days_the_last_are_shown() -> None:
    """Days are in their order: the ones left out are the oldest."""
    days = [line(f"2026-{n // 28 + 1:02d}-{n % 28 + 1:02d}") for n in range(200)]

    text = as_markdown(account(report(days, "day")), "this channel")
    assert days[-1].key in text
    assert days[0].key not in text


def test_names_break_no_table() -> None:
    """A pipe, a line's end, a ping or a link in a name is text in its cell."""
    nasty = "a|b\n<!channel> [x](https://evil.example/)"

    (message,) = as_messages(as_markdown(account(report([line(nasty)])), "this channel"))
    (row,) = [one for one in message.splitlines() if "a¦b" in one]
    assert row.count("|") == 5
    assert "<!channel>" not in message
    assert "https://evil.example" not in message


def test_what_one_has_to_know_is_said() -> None:
    """Estimates, refusals and unknown prices stand under the table."""
    whole = report(names(1), unpriced=["claude-new"])
    text = as_markdown(account(whole), "this channel")

    assert "$0.12 of it is our estimate" in text
    assert "$0.12 of it went into refusals" in text
    assert "(claude-new): the true cost is higher" in text


# The CSV


@pytest.mark.parametrize("count", [1, CSV_ROWS - 1, CSV_ROWS, 500])
def test_a_csv_is_whole_or_says_what_it_lacks(count: int) -> None:
    """Every figure to its last digit, the total last, in messages that are each a block of CSV."""
    text = as_csv(report(names(count)))
    header, *rows = rows_of(text)

    assert header[:3] == ["user", "asks", "cost_usd"]
    assert {len(row) for row in rows} == {len(header)}
    assert len(rows) == min(count + 1, CSV_ROWS)
    assert rows[0][2] == "1.234567890123"
    assert rows[-1][0] == "total"
    left_out = count + 1 - len(rows)
    assert (f"{left_out} more lines" in text) is bool(left_out)
    for message in as_messages(text):
        assert "```csv\n" in message
        assert message.count("```") == 2


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@sum(a1)", "\tx", "a,b", 'a"b', "```", "a\nb"]
)
def test_no_name_is_a_formula_or_ends_the_block(name: str) -> None:
    """Whatever somebody calls themselves, a spreadsheet reads it as a word in one cell."""
    _, row, _ = rows_of(as_csv(report([line(name)])))

    assert row[0].removeprefix("'") == name
    assert row[0][0] not in "=+-@\t"
