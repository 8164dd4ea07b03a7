"""Fields of Jira's screens and what lies in them, whatever shape they have."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations.jira_fields import Field, fields_of, held, missing, same, words_of

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "key", "name", "type", "schema", "allowedValues", "required"])
            | st.text(max_size=9),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_odd_screens_are_read_as_far_as_they_go(raw: Any) -> None:
    """Nothing that Jira could send raises; what is no field is none."""
    found = fields_of(raw)

    assert all(isinstance(field, Field) for field in found)
    assert isinstance(missing(found, {}), str)


@given(JSON)
def test_odd_values_are_kept_and_told(raw: Any) -> None:
    """Whatever lies in a field can be told in words, and is the same as itself."""
    assert words_of(raw)
    assert same(held(raw), held(raw)) or raw != raw or "nan" in repr(raw)


def test_values_are_the_same_by_what_they_say() -> None:
    """Order of a list, the kind of a number, and ids that Jira adds to a text make no difference."""
    text: dict[str, Any] = {"type": "text", "text": "x"}
    line: dict[str, Any] = {"type": "paragraph", "content": [text]}
    plain = {"type": "doc", "version": 1, "content": [line]}
    kept = {"type": "doc", "version": 1, "content": [{**line, "attrs": {"localId": "7"}}]}

    assert same(plain, kept)
    assert same([{"id": "1"}, {"id": "2"}], [{"id": "2"}, {"id": "1"}])
    assert same(5, 5.0)
    assert same(0, 0.0)
    assert not same(0.0, None)
    assert same([], None)
    assert same("", None)
    assert not same(["a"], ["a", "b"])
    assert not same(plain, None)
    assert not same({"id": "1"}, {"id": "2"})


def test_what_is_filled_by_itself_is_not_missing() -> None:
    """Only required fields without a default are asked for, each with its choices."""
    screen = fields_of(
        {
            "resolution": {
                "name": "Resolution",
                "required": True,
                "schema": {"type": "resolution"},
                "allowedValues": [{"id": "1", "name": "Done"}],
            },
            "priority": {"name": "Priority", "required": True, "hasDefaultValue": True},
            "labels": {"name": "Labels", "required": False},
        }
    )

    assert missing(screen, {}) == "Resolution (Done)"
    assert missing(screen, {"resolution": {"id": "1"}}) == ""
