"""How many examples hypothesis tries: the same ones each time by default, twenty times as many by `make fuzz`."""

from hypothesis import settings

EXAMPLES = 100  # of a property, at most, where time is short
FUZZ_TIMES = 20  # as many where it is not
STEADY = "steady"  # what holds unless `--hypothesis-profile=fuzz` is said

settings.register_profile(STEADY, max_examples=EXAMPLES, derandomize=True, deadline=None)
settings.register_profile(
    "fuzz", max_examples=EXAMPLES * FUZZ_TIMES, deadline=None, print_blob=True
)


def share(of_all: float) -> int:
    """As `max_examples` for a property whose examples are dear: this share of what the profile gives, at least one."""
    return max(1, round(of_all * settings().max_examples))
