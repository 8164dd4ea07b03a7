"""Large changes are read in passes: what is found once, what the passes share, and what happens when one fails."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.brain import Brain
from bot.demo.claude.record import Exchange
from bot.demo.claude.reply import Draft
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.world import Row, World

BUG = "def find(db, name):\n    return db.execute(f\"SELECT * FROM buyer WHERE name = '{name}'\")\n"
LOOSE = "confirm_above_usd = 10\nask_limit_usd = 10"
FOR_EVER = 3600.0


class Inventing(Brain):
    """A mind that adds a finding of its own invention to those of a pass."""

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """As ever, and one more where a schema is asked for."""
        draft = super().answer(body)
        if "format" not in body.get("output_config", {}):
            return draft
        found = json.loads(draft.text)
        found["findings"].append(
            {
                "severity": "Blocker",
                "path": "src/auth.py",
                "line": 7,
                "quote": "invented = True",
                "sentence": "It is invented.",
                "detail": "",
            }
        )
        return replace(draft, text=json.dumps(found))


def holding(path: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a request is the pass that a file stands in."""
    return lambda body: f"### {path} · " in str(body["messages"]) and "format" in str(body)


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which nobody is asked for their word before a large review."""
    async with World(tmp_path, policy=LOOSE) as world:
        yield await world.start()


def module(lines: int, bug: str = "") -> str:
    """A module with nothing wrong in it, and perhaps a bug at its end."""
    return "".join(f"value_{n} = {n} + {n}  # plain\n" for n in range(lines)) + bug


def push(world: World, files: dict[str, str], number: int = 8) -> str:
    """Add files to a pull request; its address."""
    world.github.repositories["shop/checkout"].push(number, files, "Much")
    return f"{world.github.url}/shop/checkout/pull/{number}"


def three(bugs: bool = True) -> dict[str, str]:
    """Three modules that each fill a pass, with a bug in two of them."""
    bug = BUG if bugs else ""
    return {
        "src/auth.py": module(900, bug),
        "src/orders.py": module(900),
        "src/pay.py": module(900, bug),
    }


def passes(world: World) -> list[Exchange]:
    """The requests that were passes."""
    return [e for e in world.asked if e.body and "format" in e.body.get("output_config", {})]


def usage(exchange: Exchange) -> Row:
    """What a request was billed."""
    assert exchange.usage is not None
    return dict(exchange.usage)


def at(exchange: Exchange, moment: str = "at") -> float:
    """When a request came, its answer began or ended."""
    return float(getattr(exchange, moment))


async def review(world: World, url: str, words: str = "review") -> str:
    """The answer to a review of an address."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser {words} {url}")
    return await world.answered(root, 60.0)


async def test_planted_bugs_are_found_once_each(large: World) -> None:
    """Each bug of a change in several passes stands once in the answer, at its line, under exact coverage."""
    answer = await review(large, push(large, three()))

    assert len(passes(large)) == 3
    assert answer.count("src/auth.py:902") == 1
    assert answer.count("src/pay.py:902") == 1
    assert answer.count("Read: ") == 1
    assert "Read: 5 of 5 files, 2,719 of 2,719 changed lines." in answer
    assert_balanced(large)
    assert_paid_once(large)


async def test_what_passes_share_is_read_from_cache(large: World) -> None:
    """The first pass writes the shared beginning, alone; all others read it: nine tenths of what is repeated, at least."""
    large.claude.ttft = 0.05
    await review(large, push(large, three(bugs=False)))

    first, *others = passes(large)
    shared = usage(first)["cache_creation_input_tokens"]
    assert usage(first)["cache_creation"]["ephemeral_5m_input_tokens"] > 100  # the overview's
    assert shared > 2_000
    assert [usage(one)["cache_creation_input_tokens"] for one in others] == [0, 0]
    repeated = len(others) * shared
    assert sum(usage(one)["cache_read_input_tokens"] for one in others) >= 0.9 * repeated
    assert all(at(one) > at(first, "began") for one in others)
    assert at(others[1]) < at(others[0], "ended")  # side by side


async def test_steering_words_reach_every_pass(large: World) -> None:
    """Whatever the asker wants left out or looked at, each pass is told in their words."""
    words = "review, security only and look at the tests too,"
    await review(large, push(large, three(bugs=False)), words)

    assert len(passes(large)) == 3
    assert all("security only and look at the tests too" in str(e.body) for e in large.asked)


async def test_a_refused_pass_is_said_in_the_coverage(large: World) -> None:
    """Claude declines one part: the others are answered for, and what was not read is named with the reason."""
    large.claude.troubles.add(Trouble(refuse=True, category="cyber", fits=holding("src/pay.py")))
    answer = await review(large, push(large, three()))

    assert "src/auth.py:902" in answer
    assert "src/pay.py:902" not in answer
    assert "Read: 4 of 5 files, 1,8" in answer
    assert "not read: src/pay.py (Claude declined to read this part)" in answer
    assert_balanced(large)


async def test_another_model_reads_a_refused_pass(tmp_path: Path) -> None:
    """Where the policy names another model, it reads what was declined: the answer has all of it, and says by whom."""
    async with World(tmp_path, policy=f'{LOOSE}\nfallback_model = "claude-opus-5"') as large:
        await large.start()
        refusal = Trouble(refuse=True, category="cyber", fits=holding("src/pay.py"))
        large.claude.troubles.add(refusal)
        root = await large.slack.say("ana", "#shop-dev", f"@purser review {push(large, three())}")
        answer = await large.answered(root, 60.0)

        assert "src/pay.py:902" in answer
        assert "not read" not in answer
        assert any("claude-opus-5 read that instead" in note for note in large.notes(root))
        (fallback,) = large.booked("fallback")
        assert (fallback["model"], fallback["stop_reason"]) == ("claude-opus-5", "end_turn")
        assert_balanced(large)


async def test_nothing_is_made_up_where_every_pass_is_refused(large: World) -> None:
    """Claude declines all parts: that is the end, in a sentence, and no answer is asked for."""
    large.claude.troubles.refuse_next("cyber", times=3)
    url = push(large, three())
    root = await large.slack.say("ana", "#shop-dev", f"@purser review {url}")

    assert (await large.ended(root))["outcome"] == "refused"
    assert "declined to read any part" in large.words(root)
    assert len(large.asked) == 3
    assert_balanced(large)


async def test_people_are_given_a_review_that_no_model_reads(tmp_path: Path) -> None:
    """Declined in every part, by the other model, too, the review goes to people where the policy names them."""
    policy = f'{LOOSE}\nfallback_model = "claude-opus-5"\nescalation_channel = "C0LEADS"'
    async with World(tmp_path, policy=policy) as large:
        await large.start()
        large.claude.troubles.refuse_next("cyber", times=6)
        url = push(large, three())
        root = await large.slack.say("ana", "#shop-dev", f"@purser review {url}")

        assert (await large.ended(root))["outcome"] == "refused"
        assert large.words(root) == (
            "Claude declined to read any part of this change. "
            "I asked the people of #leads to take it over; what they say comes here."
        )
        assert len(large.slack.by_app("#leads")) == 1
        assert len(large.booked("fallback")) == 3
        assert_balanced(large)


async def test_an_invented_finding_of_a_pass_is_dropped_and_counted(large: World) -> None:
    """What a pass quotes and is not in its part never reaches the answer; under it stands how many there were."""
    large.claude.brain = Inventing()
    root = await large.slack.say("ana", "#shop-dev", f"@purser review {push(large, three())}")
    answer = await large.answered(root, 60.0)

    assert "src/auth.py:902" in answer
    assert "invented" not in str(large.asked[-1].body)
    assert any("3 findings were left out" in note for note in large.notes(root))


async def test_the_limit_of_an_ask_ends_it_with_what_was_found(tmp_path: Path) -> None:
    """Dollars run out between the passes: what was found is said, with what was not read, and why it ends."""
    async with World(tmp_path, policy="confirm_above_usd = 10\nask_limit_usd = 0.22") as world:
        await world.start()
        url = push(world, three())
        root = await world.slack.say("ana", "#shop-dev", f"@purser review {url}")
        ended = await world.ended(root)

        assert ended["outcome"] == "stopped"
        said = world.words(root)
        assert said.count("src/auth.py:902") == 1
        assert "Read: 1 of 5 files, 902 of 2,719 changed lines" in said
        assert "src/pay.py (the limit of this ask was reached)" in said
        assert "This ask has reached its limit of $0.22" in said
        assert_balanced(world)


async def test_passes_wait_for_each_other_s_share_of_the_limit(tmp_path: Path) -> None:
    """What the passes reserve is more than the ask may cost, what they cost is not: all are read in the end."""
    async with World(tmp_path, policy="confirm_above_usd = 10\nask_limit_usd = 0.32") as world:
        world.claude.ttft = 0.1
        await world.start()
        answer = await review(world, push(world, three()))

        assert "Read: 5 of 5 files, 2,719 of 2,719 changed lines." in answer
        assert len(passes(world)) == 3
        assert_balanced(world)


@pytest.mark.timeout(120)  # a process is started, and started again
async def test_passes_that_were_paid_are_not_paid_again(tmp_path: Path) -> None:
    """After kill -9 between two passes only what was open is asked again, and GitHub is not."""
    async with World(tmp_path, policy=LOOSE) as world:
        await world.spawn()
        world.claude.troubles.add(Trouble(hang_first=FOR_EVER, fits=holding("src/pay.py")))
        root = await world.slack.say("ana", "#shop-dev", f"@purser review {push(world, three())}")
        await world.until(lambda: len([e for e in passes(world) if e.state == "done"]) == 2)
        await world.until(
            lambda: len(world.rows("SELECT 1 FROM requests WHERE response <> ''")) == 2
        )
        asked = len(world.github.log)
        await world.kill()
        await world.spawn()

        answer = await world.answered(root, 60.0)
        assert answer.count("src/auth.py:902") == answer.count("src/pay.py:902") == 1
        assert "Read: 5 of 5 files" in answer
        assert len(world.github.log) == asked
        assert len(passes(world)) == 4  # three, and the one that the kill cut off
        assert_paid_once(world)
        assert_balanced(world)


async def test_60_000_lines_are_read_as_far_as_passes_go(large: World) -> None:
    """The riskiest files of a huge change are read, in eight passes, and the rest is counted to the line."""
    files = {f"src/m{n:02}.py": module(5_000) for n in range(12)} | {
        "src/auth.py": module(900, BUG)
    }
    answer = await review(large, push(large, files))

    assert len(passes(large)) == 8
    assert "src/auth.py:902" in answer
    assert "of 15 files, " in answer
    assert "Read: 2 of 15 files, 7,829 of 60,917 changed lines; not read: src/m01.py (" in answer
    assert "beyond what is read of one change" in answer


async def test_3_000_files_are_read_as_far_as_passes_go(large: World) -> None:
    """So many files are named as far as there is room, and counted."""
    files = {f"src/m{n:04}.py": "x = 1\n" * 30 for n in range(2_998)}
    answer = await review(large, push(large, files))

    assert len(passes(large)) == 8
    assert "of 3,000 files, " in answer
    assert " more." in answer
    assert all(len(str(e.body)) < 200_000 for e in passes(large))


async def test_an_empty_pull_request_is_told(large: World) -> None:
    """One that changes nothing has no coverage, and Claude is told that it changes nothing."""
    repository = large.github.repositories["shop/checkout"]
    repository.pulls[8].head = repository.pulls[8].base
    answer = await review(large, f"{large.github.url}/shop/checkout/pull/8")

    assert "It changes nothing" in str(large.asked[0].body)
    assert "Read: " not in answer


async def quoted(world: World) -> tuple[Message, Message]:
    """A huge review that waits for a person's word, and its estimate."""
    files = {f"src/m{n:02}.py": module(5_000) for n in range(3)} | {"src/auth.py": module(900, BUG)}
    url = push(world, files)
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {url}")
    await world.until(lambda: [ask["state"] for ask in world.asks()] == ["parked"])
    (estimate,) = world.said(root)
    return root, estimate


async def test_all_passes_are_in_the_estimate(world: World) -> None:
    """A review in eight passes is dear by their sum; after Go they are read, and GitHub is not asked again."""
    root, estimate = await quoted(world)
    read = len(world.github.log)
    assert world.asked == []
    await world.slack.click("ana", estimate, "estimate:go")
    ask = await world.ended(root, 60.0)

    assert ask["outcome"] == "answer"
    assert len(passes(world)) == 8
    assert len(world.github.log) == read
    (kept,) = world.rows("SELECT * FROM estimates WHERE ask_id = ?", ask["id"])
    spent = sum(row["cost_picos"] for row in world.booked())
    assert 0.5 < kept["picos"] / spent < 3
    assert_balanced(world)


async def test_smaller_reads_the_riskiest_files_at_once(world: World) -> None:
    """Who wants it smaller gets one request with the riskiest part; the rest is named."""
    root, estimate = await quoted(world)
    await world.slack.click("ana", estimate, "estimate:smaller")
    ask = await world.ended(root)

    assert ask["outcome"] == "answer"
    assert passes(world) == []
    assert len(world.asked) == 1
    answer = words_of(world.said(root)[-1])
    assert "src/auth.py:902" in answer
    assert "Read: 1 of 6 files, " in answer


async def test_books_that_fail_between_the_passes_are_told_with_their_reason(large: World) -> None:
    """Where a pass cannot be booked it is not asked for: admins hear why, and with room again the review is answered."""
    large.damage(
        "CREATE TRIGGER full BEFORE INSERT ON requests BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    url = push(large, three())
    root = await large.slack.say("ana", "#shop-dev", f"@purser review {url}")
    (alert,) = await large.until(
        lambda: large.rows("SELECT body FROM asks WHERE key LIKE '%store:%'")
    )
    large.damage("DROP TRIGGER full")

    assert "the database did not take it" in alert["body"]
    assert "src/auth.py:902" in await large.answered(root, 60.0)
    assert len(passes(large)) == 3
