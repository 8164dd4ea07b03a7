"""The words Claude is given, byte for byte the same in every channel, process and feature.

`prompts/*.md` are reviewed like code. Three of them form one system block that all asks
share, so that its cache entry is written once an hour for everybody; a channel's own
paragraph stands in a second block, behind the mark, and disturbs nobody else.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

SHARED = ("system.md", "review.md", "summarize.md")
REPHRASE, COMPACT, DIGEST = "rephrase.md", "compact.md", "digest.md"
REPHRASE_TOKENS = 8_192  # thinking counts too; a request that long is no request but a document
COMPACT_TOKENS = (
    8_192  # 900 words are 2,000 tokens at most in any language; the rest is for thinking
)
DIGEST_TOKENS = 6_000  # 250 words, and thinking at the lowest effort
UNCHANGED = "UNCHANGED"  # what the rewording answers when there is no neutral wording
# These take neither adaptive thinking nor an effort (https://platform.claude.com/docs/en/about-claude/models).
_PLAIN_MODELS = re.compile(r"claude-(haiku-4|sonnet-4-5|opus-4-[015])")
_OUR_TAG = re.compile(r"<(/?)purser:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of one release; `version` names their exact bytes."""

    shared: str
    rephrase: str
    compact: str
    digest: str
    version: str

    @classmethod
    def load(cls) -> "Prompts":
        """Read them from the installed package."""
        folder = files("prompts")
        texts = {
            name: folder.joinpath(name).read_text(encoding="utf-8").strip()
            for name in (*SHARED, REPHRASE, COMPACT, DIGEST)
        }
        bytes_ = hashlib.sha256()
        for name, text in texts.items():
            bytes_.update(f"{name}\0{text}\0".encode())
        shared = "\n\n".join(texts[name] for name in SHARED)
        tasks = (texts[REPHRASE], texts[COMPACT], texts[DIGEST])
        return cls(shared, *tasks, bytes_.hexdigest()[:12])

    def system(self, instructions: str | None = None) -> list[dict[str, Any]]:
        """Give the system blocks: the shared one, marked for an hour, then the channel's own; the same objects each time."""
        return list(_blocks(self.shared, (instructions or "").strip()))

    def rewording(self, request: str, *, work: str, model: str) -> dict[str, Any]:
        """Give the request that has a person's refused words put neutrally.

        Args:
            request: the person's own words.
            work: what kind of work it is: "a code review" or "a question".
            model: who rewords.
        """
        words = f"Kind of work: {work}\n\n<purser:request>\n{untagged(request)}\n</purser:request>"
        return _task(self.rephrase, [_text(words)], model=model, max_tokens=REPHRASE_TOKENS)

    def minutes(self, part: str, *, model: str) -> dict[str, Any]:
        """Give the request that has the oldest part of a thread summed up.

        Args:
            part: as it is to be read, labelled.
            model: who sums it up.
        """
        words = f"<purser:part>\n{part}\n</purser:part>"
        return _task(self.compact, [_text(words)], model=model, max_tokens=COMPACT_TOKENS)

    def morning(
        self, read: Sequence[Mapping[str, Any]], *, model: str, instructions: str | None = None
    ) -> dict[str, Any]:
        """Give the request that has a digest written.

        Args:
            read: what it is about and what was read for it, as blocks.
            model: who writes it.
            instructions: the channel's own paragraph.
        """
        made = _task(self.digest, read, model=model, max_tokens=DIGEST_TOKENS)
        own = _blocks(self.digest, (instructions or "").strip())[1:]
        return {**made, "system": [*made["system"], *own]}


def _task(
    task: str, content: Sequence[Mapping[str, Any]], *, model: str, max_tokens: int
) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": max_tokens,
        "system": [_text(task)],
        "messages": [{"role": "user", "content": list(content)}],
        **effort_of(model, "low"),
    }


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


@lru_cache(256)
def _blocks(shared: str, instructions: str) -> tuple[dict[str, Any], ...]:
    mark = {"type": "ephemeral", "ttl": "1h"}
    first: dict[str, Any] = {"type": "text", "text": shared, "cache_control": mark}
    if not instructions:
        return (first,)
    return (first, {"type": "text", "text": f"# This channel\n\n{instructions}"})


def untagged(text: str) -> str:
    """Make text unable to open or close one of our tags; everything else stays as it is."""
    return _OUR_TAG.sub(r"<\1purser_", text)


def effort_of(model: str, effort: str) -> dict[str, Any]:
    """Give the thinking and effort fields of a request, for models that know them.

    Thinking is shown as summaries: the default shows none, and a person would see nothing
    move while Claude works.
    """
    if _PLAIN_MODELS.match(model):
        return {}
    return {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": effort},
    }
