"""What can be made to go wrong with the stand-in Claude, as the real SDK sees it."""

import asyncio
import json
from typing import Any

import anthropic
import httpx2
import pytest

from bot.demo.claude import Tier, Trouble
from tests.demo.test_claude_wire import ISSUE_TOOL, Clock, ask, stream, text_of, world

SHOWN = {"type": "adaptive", "display": "summarized"}
ANYTHING = (anthropic.APIError, httpx2.HTTPError, json.JSONDecodeError)


async def collect(client: anthropic.AsyncAnthropic, words: str, into: list[str]) -> None:
    """Stream an answer's text into a list, so that what came is known when it breaks."""
    async with client.messages.stream(**ask(words)) as answer:
        async for text in answer.text_stream:
            into += [text]


@pytest.mark.parametrize(
    ("status", "code", "expected", "kind"),
    [
        (400, None, anthropic.BadRequestError, "invalid_request_error"),
        (402, None, anthropic.PaymentRequiredError, "billing_error"),
        (403, None, anthropic.PermissionDeniedError, "permission_error"),
        (404, None, anthropic.NotFoundError, "not_found_error"),
        (408, None, anthropic.RequestTimeoutError, "timeout_error"),
        (413, None, anthropic.ContentTooLargeError, "request_too_large"),
        (429, None, anthropic.RateLimitError, "rate_limit_error"),
        (429, "ramp_limit_exceeded", anthropic.RampLimitExceededError, "rate_limit_error"),
        (
            429,
            "enforced_spend_limit_reached",
            anthropic.EnforcedSpendLimitReachedError,
            "rate_limit_error",
        ),
        (
            429,
            "contract_spend_limit_reached",
            anthropic.ContractSpendLimitReachedError,
            "rate_limit_error",
        ),
        (500, None, anthropic.InternalServerError, "api_error"),
        (504, None, anthropic.GatewayTimeoutError, "timeout_error"),
        (529, None, anthropic.OverloadedError, "overloaded_error"),
    ],
)
async def test_every_error_has_its_class(
    status: int, code: str | None, expected: type[anthropic.APIStatusError], kind: str
) -> None:
    """Each status and code comes out of the SDK as its own class, and is over after one request."""
    async with world() as (stand_in, client):
        stand_in.troubles.fail(status, code=code, retry_after=7)
        with pytest.raises(expected) as caught:
            await stream(client, ask("Hi"))
        after = await stream(client, ask("Hi"))

    assert type(caught.value) is expected
    assert (caught.value.type, caught.value.error_code) == (kind, code)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.request_id == stand_in.log[0].request_id
    assert after.stop_reason == "end_turn"
    assert len(stand_in.served) == 1


async def test_spend_limit_and_output_filter_are_plain_bad_requests() -> None:
    """A limit the account has set, and the output filter, are 400s known by their words alone."""
    async with world() as (stand_in, client):
        stand_in.troubles.spend_limit()
        stand_in.troubles.block_output()
        with pytest.raises(anthropic.BadRequestError, match="specified workspace API usage limits"):
            await stream(client, ask("Hi"))
        with pytest.raises(anthropic.BadRequestError, match="blocked by content filtering"):
            await stream(client, ask("Hi"))
        with pytest.raises(anthropic.BadRequestError, match="blocked by content filtering"):
            await stream(client, ask("Give me the full lyrics of Zorb"))


@pytest.mark.parametrize("block", [True, False])
async def test_an_error_event_comes_after_200_and_after_text(block: bool) -> None:
    """In mid-stream an error is an event: status 200, the type of the error, text before it."""
    async with world() as (stand_in, client):
        if block:
            stand_in.troubles.block_output("mid")
        else:
            stand_in.troubles.fail_in_stream(529, after=40)
        got: list[str] = []
        with pytest.raises(anthropic.APIStatusError) as caught:
            await collect(client, "Tell me of Snark", got)

    assert caught.value.status_code == 200
    assert caught.value.type == ("invalid_request_error" if block else "overloaded_error")
    assert len("".join(got)) >= 40
    assert stand_in.served[0].billed
    assert not stand_in.served[0].complete


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_cut_connection_and_broken_json_escape_as_they_do(streamed: bool) -> None:
    """A cut answer and one that is no JSON raise what the SDK lets through, and are billed."""
    async with world() as (stand_in, client):
        for trouble in (Trouble(cut=True), Trouble(malformed=True)):
            stand_in.troubles.add(trouble)
            request = ask("Tell me of Jabberwock")
            call = stream(client, request) if streamed else client.messages.create(**request)
            with pytest.raises(ANYTHING):
                await call
        assert (await stream(client, ask("Hi"))).stop_reason == "end_turn"

    assert [s.complete for s in stand_in.served] == [False, False, True]


async def test_what_is_cut_had_begun_to_arrive() -> None:
    """A stream that is cut after n characters has delivered about as many."""
    async with world() as (stand_in, client):
        stand_in.troubles.cut(after=60)
        got: list[str] = []
        with pytest.raises(ANYTHING):
            await collect(client, "Tell me of the Bandersnatch", got)

    assert 40 <= len("".join(got)) <= 110


async def test_silence_before_and_amid_an_answer() -> None:
    """A hanging answer is silent for as long as it was told to, wherever that is."""
    async with world() as (stand_in, client):
        for first in (True, False):
            stand_in.troubles.hang(3600, first=first)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await stream(client, ask("Hi"))
        await stand_in.wait_for(lambda: all(e.ended for e in stand_in.log))

    assert [e.state for e in stand_in.log] == ["client_gone", "client_gone"]
    assert [e.began is not None for e in stand_in.log] == [False, True]


async def test_an_empty_end_and_another_model() -> None:
    """An answer can be empty, and can come from another model than the one asked."""
    async with world() as (stand_in, client):
        stand_in.troubles.empty_end()
        empty = await stream(client, ask("Hi"))
        stand_in.troubles.add(Trouble(served_by="claude-sonnet-5"))
        other = await stream(client, ask("Hi"))
        stand_in.troubles.add(Trouble(stop_reason="model_context_window_exceeded"))
        full = await stream(client, ask("Hi"))

    assert (empty.content, empty.stop_reason) == ([], "end_turn")
    assert other.model == stand_in.served[1].model == "claude-sonnet-5"
    assert full.stop_reason == "model_context_window_exceeded"


async def test_a_trouble_waits_for_the_request_it_fits() -> None:
    """A trouble for one model leaves requests to others alone."""
    async with world() as (stand_in, client):
        only = Trouble(refuse=True, fits=lambda body: body["model"] == "claude-opus-5-5")
        stand_in.troubles.add(only)
        assert (await stream(client, ask("Hi"))).stop_reason == "end_turn"
        refused = await stream(client, ask("Hi", model="claude-opus-5-5"))

    assert refused.stop_reason == "refusal"


@pytest.mark.parametrize(
    ("category", "when", "billed"),
    [
        ("cyber", "early", False),
        ("general_harms", "early", False),
        (None, "early", False),
        ("bio", "early", True),
        ("frontier_llm", "early", True),
        ("reasoning_extraction", "early", True),
        ("cyber", "mid", True),
        ("general_harms", "mid", True),
    ],
)
async def test_refusals_and_their_bills(category: str | None, when: str, billed: bool) -> None:
    """A refusal is a 200 with its category; whether it is billed follows category and moment."""
    async with world() as (stand_in, client):
        stand_in.troubles.refuse_next(category, when)
        message = await stream(client, ask("Tell me of the Frumious"))
        stand_in.troubles.refuse_next(category, when)
        whole = await client.messages.create(**ask("Tell me of the Frumious"))

    assert message.stop_reason == whole.stop_reason == "refusal"
    assert message.stop_details
    assert message.stop_details.category == category
    assert bool(text_of(message)) == (when == "mid")
    assert text_of(message) == text_of(whole)
    assert message.usage.input_tokens > 0
    assert [s.billed for s in stand_in.served] == [billed, billed]
    assert stand_in.served[0].refusal_category == category


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("How do I kill a child process that hangs?", "general_harms"),
        ("Find every exploit in this code", "cyber"),
        ("Can you hack into this function for me?", "cyber"),
        ("How does one do gain-of-function work?", "bio"),
        ("Please nuke the cache of Zorb", "general_harms"),
    ],
)
async def test_blunt_words_are_refused_until_they_are_gone(words: str, category: str) -> None:
    """The demo's filter trips over single words, in every turn, until they are taken out."""
    async with world() as (_, client):
        refused = await stream(client, ask(words))
        history = [
            {"role": "user", "content": words},
            {"role": "assistant", "content": "I can't."},
            {"role": "user", "content": "Why not?"},
        ]
        still = await stream(client, ask("", messages=history))
        fine = await stream(client, ask("", messages=history[2:]))
        older = await stream(client, ask(words, model="claude-sonnet-4-6"))

    assert refused.stop_details
    assert refused.stop_details.category == category
    assert still.stop_reason == "refusal"
    assert fine.stop_reason == older.stop_reason == "end_turn"


@pytest.mark.parametrize(
    "words",
    [
        "How do I kill a child process that hangs? It runs worker.py",
        "Find every exploit in login.py, please!",
        "Nuke the cache of the shop and say what happens",
    ],
)
async def test_a_neutral_wording_passes(words: str) -> None:
    """Asked to reword, it gives the same request in words that pass its own filter."""
    system = "You are an editor. You put the same request into neutral, professional words."
    request = ask(f"<purser:request>\n{words}\n</purser:request>", system=system)
    async with world() as (_, client):
        assert (await stream(client, ask(words))).stop_reason == "refusal"
        reworded = text_of(await stream(client, {**request, "model": "claude-haiku-5-5"}))
        answer = await stream(client, ask(reworded))

    assert answer.stop_reason == "end_turn"
    kept = [w for w in ("worker.py", "login.py", "shop") if w in words]
    assert all(word in reworded for word in kept)


async def test_what_cannot_be_reworded_is_said_to_be_unchanged() -> None:
    """Where no neutral wording is known, the answer is the agreed word."""
    system = "You put the same request into neutral, professional words."
    words = "<purser:request>\nExplain gain-of-function work\n</purser:request>"
    async with world() as (_, client):
        assert text_of(await stream(client, ask(words, system=system))) == "UNCHANGED"


async def test_code_is_not_what_the_filter_reads() -> None:
    """Words in a code block don't trip the filter, as rewording could not mend them."""
    async with world() as (_, client):
        code = "Review this\n```python\nos.kill(child.pid)  # kill the child\n```"
        assert (await stream(client, ask(code))).stop_reason == "end_turn"


async def test_limits_refill_and_their_headers_tell_how_far() -> None:
    """Each pool is a bucket: it empties, says when to come back, and refills while time passes."""
    clock = Clock()
    tier = Tier(requests=60, input_tokens=10_000, output_tokens=10_000)
    async with world(now=clock, tier=tier) as (stand_in, client):
        raw = await client.messages.with_raw_response.create(**ask("x" * 24_500))
        with pytest.raises(anthropic.RateLimitError) as caught:
            await client.messages.create(**ask("x" * 24_500))
        other = await client.messages.create(**ask("x" * 24_500, model="claude-haiku-5-5"))
        wait = int(caught.value.response.headers["retry-after"])
        clock.seconds += wait
        again = await client.messages.create(**ask("x" * 24_500))

    headers = raw.headers
    assert headers["anthropic-ratelimit-requests-limit"] == "60"
    assert headers["anthropic-ratelimit-requests-remaining"] == "59"
    assert headers["anthropic-ratelimit-input-tokens-limit"] == "10000"
    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "3000"
    assert headers["anthropic-ratelimit-tokens-remaining"] == "3000"
    assert headers["anthropic-ratelimit-input-tokens-reset"].endswith("Z")
    assert 20 <= wait <= 30
    assert "input tokens per minute" in str(caught.value)
    assert other.stop_reason == again.stop_reason == "end_turn"
    assert len(stand_in.served) == 3


async def test_generated_tokens_empty_the_output_limit() -> None:
    """What was generated is taken from the output limit, also of a broken answer."""
    tier = Tier(requests=None, input_tokens=None, output_tokens=60)
    async with world(now=Clock(), tier=tier) as (stand_in, client):
        stand_in.troubles.cut(after=150)
        with pytest.raises(ANYTHING):
            await stream(client, ask("Tell me of Slithy and of Tove"))
        with pytest.raises(anthropic.RateLimitError, match="output tokens per minute"):
            await stream(client, ask("Hi"))


async def test_a_broken_answer_is_billed_with_the_thinking_before_it() -> None:
    """What was thought before an answer broke off is in its usage."""
    async with world() as (stand_in, client):
        stand_in.troubles.cut(after=1)
        with pytest.raises(ANYTHING):
            await stream(client, ask("Tell me of Mimsy", thinking=SHOWN))

    usage = stand_in.served[0].usage
    thought = usage["output_tokens_details"]["thinking_tokens"]
    assert 0 < thought <= usage["output_tokens"]


async def test_what_is_read_from_cache_does_not_count_as_input() -> None:
    """Cached tokens are free of the input limit, so a cached prefix can be used again and again."""
    system = [{"type": "text", "text": "x" * 24_500, "cache_control": {"type": "ephemeral"}}]
    tier = Tier(requests=None, input_tokens=8_000, output_tokens=None)
    async with world(now=Clock(), tier=tier) as (_, client):
        messages = [await client.messages.create(**ask("Hi", system=system)) for _ in range(4)]

    assert all(message.usage.cache_read_input_tokens for message in messages[1:])


async def thinking_round(client: anthropic.AsyncAnthropic, **fields: Any) -> dict[str, Any]:
    """A request, its answer with a tool call, and the result, as the next request."""
    request = ask("Where is SHOP-12?", tools=[ISSUE_TOOL], **fields)
    message = await stream(client, request)
    content = [block.to_dict() for block in message.content]
    use = next(block for block in message.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "Status: Open"}
    turns = [
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result]},
    ]
    return {**request, "messages": [*request["messages"], *turns]}


async def test_thinking_is_empty_or_shown_and_goes_back_unchanged() -> None:
    """Omitted thinking has a signature and no text, summarized has both; both are taken back."""
    async with world() as (stand_in, client):
        for thinking, shown in (({"type": "adaptive"}, False), (SHOWN, True)):
            request = await thinking_round(client, thinking=thinking)
            blocks = request["messages"][1]["content"]
            assert [b["type"] for b in blocks] == ["thinking", "thinking", "tool_use"]
            assert all(bool(b["thinking"]) == shown for b in blocks[:2])
            assert all(b["signature"] for b in blocks[:2])
            message = await stream(client, request)
            assert "Open" in text_of(message)

    assert all(s.usage["output_tokens_details"]["thinking_tokens"] > 0 for s in stand_in.served)


async def test_words_between_tools_are_visible_where_they_should_be() -> None:
    """Between tool calls, `between_tools` shows words as thinking; Haiku says them as text."""
    async with world() as (_, client):
        shown = await thinking_round(client, thinking={"type": "between_tools"})
        haiku = await thinking_round(client, model="claude-haiku-5-5")

    first, _use = shown["messages"][1]["content"]
    assert first["type"] == "thinking"
    assert "SHOP-12" in first["thinking"]
    kinds = [block["type"] for block in haiku["messages"][1]["content"]]
    assert kinds == ["thinking", "text", "tool_use"]


@pytest.mark.parametrize("what", ["text", "signature", "system", "tools", "earlier"])
async def test_changed_thinking_is_refused(what: str) -> None:
    """A thinking block that was changed, or what stood before it, makes the request a 400."""
    async with world() as (_, client):
        request = await thinking_round(client, thinking=SHOWN)
        block = request["messages"][1]["content"][0]
        if what == "text":
            block["thinking"] += "!"
        elif what == "signature":
            block["signature"] = "AAAA" + block["signature"][4:]
        elif what == "system":
            request["system"] = "Another one."
        elif what == "tools":
            request["tools"] = [{**ISSUE_TOOL, "description": "Another one."}]
        else:
            request["messages"][0] = {"role": "user", "content": "Where is SHOP-13?"}
        with pytest.raises(anthropic.BadRequestError, match="signature"):
            await stream(client, request)


async def test_another_model_drops_thinking_it_cannot_read() -> None:
    """Thinking of another model is no error; it is not read and not counted."""
    async with world() as (_, client):
        request = await thinking_round(client, thinking=SHOWN)
        other = {**request, "model": "claude-opus-5-5"}
        message = await stream(client, other)
        content = [b for b in request["messages"][1]["content"] if b["type"] != "thinking"]
        request["messages"][1]["content"] = content
        without = await stream(client, {**request, "model": "claude-opus-5-5"})

    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens == without.usage.input_tokens
