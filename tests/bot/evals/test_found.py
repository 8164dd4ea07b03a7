"""Findings are read from an answer in the form that people see."""

from bot.evals.found import Place, findings
from bot.findings import Given, Sieve

ANSWER = """\
**2 findings** (1 blocker, 1 minor). I would not merge it.

**Blocker: The key is new for each attempt** (`shop/charge.py:42`)
```python
key = uuid4()
**Minor: this is code** (`not/a.py:1`)
```
A timeout charges the card twice.

1. **Minor: The name says the opposite** ([`shop/names.py:7-9`](https://x/blob/1/shop/names.py#L7), `shop/other.py:3`)

Not checked: the tests.

**Read**: all of it.
"""


def test_each_finding_has_its_severity_places_and_words() -> None:
    """Links are seen through, ranges and several places too; code and closing lines begin nothing."""
    first, second = findings(ANSWER)

    assert (first.severity, first.places) == ("blocker", (Place("shop/charge.py", 42, 42),))
    assert first.text.endswith("A timeout charges the card twice.")
    assert (second.severity, second.places) == (
        "minor",
        (Place("shop/names.py", 7, 9), Place("shop/other.py", 3, 3)),
    )
    assert "Not checked" not in second.text


def test_without_findings_there_are_none() -> None:
    """A verdict is no finding."""
    assert findings("**No findings.** I would merge it.\n\nRead: 1 of 1 file.") == ()


def test_what_the_sieve_lets_through_is_read() -> None:
    """The form is that of the answer after findings were held against the code."""
    given = [
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": "Link to a line of it: https://h/o/r/blob/1/PATH#LNUMBER\n### a/b.py · modified\n@@ -1 +1 @@\n+    4| retry(key)",
                }
            ],
        }
    ]
    sieve = Sieve(lambda: Given.of(given))
    said = sieve.feed("**Major: It repeats** (`b.py:2`)\n```\nretry(key)\n```\nTwice.\n")

    [finding] = findings(said + sieve.rest())

    assert finding.places == (Place("a/b.py", 4, 4),)
