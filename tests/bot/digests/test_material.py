"""What Claude is given for a digest: as much as the quick model reads at its lower price, in whole parts."""

from bot.digests.material import CHARS, LEFT_OUT, _fitting
from bot.labels import text


def test_no_digest_reads_beyond_the_price_cliff() -> None:
    """Parts are taken whole, the first ones first; what does not fit is said to be left out, with all behind it."""
    half = [text("a" * (CHARS // 4)), text("b" * (CHARS // 4))]
    small = [text("c")]

    assert list(_fitting([half, half])) == [*half, *half]
    assert list(_fitting([half, half, small, small])) == [*half, *half, text(LEFT_OUT)]
    assert list(_fitting([])) == []
