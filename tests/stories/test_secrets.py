"""Secrets stay here: whatever people paste, attach or point at, what leaves for Claude has them hidden, and it is said."""

import base64
import json
from pathlib import Path

from bot.demo.claude.reply import Draft
from bot.demo.pages.made import pdf
from bot.demo.terminal import under
from tests.stories.hostile import TRAP, Hostile
from tests.stories.world import World

TOKEN = (
    "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0bC3dE6"
)  # nobody's; put together so that no scanner minds
CARD = "4111 1111" + " 1111 1111"
SECRET = "sk_li" + "ve_" + "aB3dE6gH9jK2mN5pQ8sT1vW4"


def sent(world: World) -> str:
    """All that ever left for Claude."""
    return "\n".join(json.dumps(exchange.body, ensure_ascii=False) for exchange in world.claude.log)


async def test_nothing_secret_leaves_for_claude(tmp_path: Path) -> None:
    """What people paste and attach, what they said before, tickets and pages have their secrets hidden; they are counted."""
    async with Hostile(tmp_path) as world:
        world.comment("SHOP-12", f"The token is {TOKEN}.")
        world.trapped.words = f"<p>Our key is {SECRET}.</p>"
        await world.start()
        address = world.web.address(TRAP)
        named = world.slack.file(f"{TOKEN}.txt", "nothing else")
        root = await world.slack.say("ben", "#shop-dev", f"My card is {CARD}.", files=[named])
        file = world.slack.file("deploy.env", f"STRIPE={SECRET}\n")
        ask = await world.slack.say(
            "ana",
            "#shop-dev",
            f"@purser with {TOKEN}, what do SHOP-12 and {address} say?",
            thread_ts=root.ts,
            files=[file],
        )
        await world.answered(ask)

        for secret in (TOKEN, CARD, SECRET):
            assert secret not in sent(world)
        for mark in ("github-token", "card-number", "stripe-key"):
            assert f"[redacted: {mark}]" in sent(world)
        assert "6 secrets were hidden before this went to Claude." in world.notes(ask)


async def test_a_pdf_with_a_secret_is_its_text(tmp_path: Path) -> None:
    """A PDF in whose words a secret stands goes out as its text without it, and the answer says so; another goes as it is."""
    async with World(tmp_path) as world:
        await world.start()
        keys = pdf([["Runbook", f"The token is {TOKEN}."], ["Keep it safe."]])
        plain = pdf([["A page on retries."]])
        files = [world.slack.file("keys.pdf", keys), world.slack.file("retries.pdf", plain)]
        ask = await world.slack.say("ana", "#shop-dev", "@purser what do these say?", files=files)
        await world.answered(ask)

        assert base64.b64encode(keys).decode() not in sent(world)
        assert base64.b64encode(plain).decode() in sent(world)
        assert TOKEN not in sent(world)
        assert "The token is [redacted: github-token]" in sent(world)
        assert "Keep it safe." in sent(world)
        notes = world.notes(ask)
        assert "1 secret was hidden before this went to Claude." in notes
        told = "`keys.pdf` has secrets in it: I read its text with them hidden, no pictures."
        assert [note for note in notes if "keys.pdf" in note] == [told]


async def test_a_channel_may_name_the_rules(tmp_path: Path) -> None:
    """Where a channel's policy names some rules, what only others would hide goes out as it is, and no note says so."""
    async with Hostile(tmp_path, policy='redact = ["stripe-key"]') as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", f"@purser is {CARD} a good number?")
        await world.answered(root)

        assert CARD in sent(world)
        assert not [note for note in world.notes(root) if "hidden" in note]


async def test_a_thread_is_told_the_same_again(tmp_path: Path) -> None:
    """What was hidden once is hidden byte for byte alike in the next ask, and is not counted again."""
    async with Hostile(tmp_path) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", f"@purser is {TOKEN} still good?")
        await world.answered(root)
        more = await world.slack.say("ana", "#shop-dev", "@purser why?", thread_ts=root.ts)
        await world.ended(more)

        first, second = (exchange.body["messages"] for exchange in world.asked)
        texts = [[block["text"] for block in one[0]["content"]] for one in (first, second)]
        assert texts[0] == texts[1]
        assert "[redacted: github-token]" in texts[0][-1]
        assert not [
            note for message in world.said(root)[1:] for note in under(message) if "hidden" in note
        ]


async def test_findings_hold_on_hidden_lines(tmp_path: Path) -> None:
    """A finding that quotes a line whose secret was hidden is held against what Claude was given, and stays."""
    async with Hostile(tmp_path) as world:
        await world.start()
        quoted = 'KEY = "[redacted: github-token]"'
        world.script(
            Draft(
                f"**Critical**\n\n**A token stands in the code.** `app.py:1`\n\n> {quoted}\n\nRevoke it."
            )
        )
        code = f'KEY = "{TOKEN}"\nprint(KEY)\n'
        file = world.slack.file("app.py", code)
        root = await world.slack.say("ana", "#shop-dev", "@purser review this", files=[file])

        assert "A token stands in the code" in await world.answered(root)
        assert "1 secret was hidden before this went to Claude." in world.notes(root)
