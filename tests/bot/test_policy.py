"""What the policy file may say, and what it then decides."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.ask import Ask, Person
from bot.errors import BadSettings
from bot.policy import Adjusted, Policy
from bot.rules import PolicyFile, Rules, Workspace, load

ASK = Ask(
    id="a1", key="k", team="T1", channel="C1", user="U1", feature="chat", origin="mention",
    text="hi", at=0.0, user_team="T1",
)  # fmt: skip
MEMBER = Person(id="U1", name="Ada", team="T1")


def test_a_broken_file_is_refused_with_every_problem(tmp_path: Path) -> None:
    """Unknown keys, wrong values and wrong tables are all named, with their place."""
    path = tmp_path / "purser.toml"
    path.write_text(
        '[defaults]\nmodell = "x"\neffort = "huge"\ntool_seconds = 30\n'
        'escalation_channel = "#leads"\n'
        '[channels.C1]\nmodel = "claude-sonnet-latest"\njira_projects = ["shop"]\n'
        '[workspace]\ntimezone = "Mars/Olympus"\n[admins]\nusers = "U1"\n[extra]\n'
    )

    with pytest.raises(BadSettings) as caught:
        load(path)

    text = str(caught.value)
    for word in (
        "did you mean model?",
        "effort",
        "tool_seconds",
        "'#leads' is no channel's id",
        "moving target",
        "shop",
        "Mars",
        "users",
        "extra",
    ):
        assert word in text


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    """A policy in another encoding is refused by its name."""
    path = tmp_path / "purser.toml"
    path.write_bytes('[workspace]\ntimezone = "UTC"\n'.encode("utf-16"))

    with pytest.raises(BadSettings, match=r"purser\.toml: cannot be read"):
        load(path)


def test_a_folder_in_its_place_is_a_problem(tmp_path: Path) -> None:
    """A folder named as the policy is not taken for no policy."""
    path = tmp_path / "purser.toml"
    path.mkdir()

    with pytest.raises(BadSettings, match=r"purser\.toml: cannot be read"):
        load(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """An absent file is an empty one."""
    assert Policy(load(tmp_path / "none.toml")).rules("C1") == Rules()


def test_the_channels_value_wins(tmp_path: Path) -> None:
    """A channel's value stands before [defaults], and its source is told."""
    path = tmp_path / "purser.toml"
    path.write_text(
        "[defaults]\nmonthly_budget_usd = 10.10\n[channels.C1]\nmonthly_budget_usd = 80\n"
    )
    policy = Policy(load(path))

    assert policy.rules("C1").monthly_budget_usd == Decimal(80)
    assert policy.rules("C2").monthly_budget_usd == Decimal("10.10")
    sources = {v.key: v.source for v in policy.explain("C1")}
    assert sources["monthly_budget_usd"] == "[channels.C1]"
    assert sources["model"] == "default"


def test_a_channel_has_its_own_caps(tmp_path: Path) -> None:
    """What a channel says of asks at work holds there; of the other number, and elsewhere, what all have."""
    path = tmp_path / "purser.toml"
    path.write_text(
        "[defaults]\nperson_in_flight = 3\n[channels.C1]\nchannel_in_flight = 7\n"
        "[channels.C2]\nperson_in_flight = 3\n[channels.C3]\nperson_in_flight = 1\n"
    )
    caps = Policy(load(path)).caps

    assert [caps.of(channel) for channel in ("C0", "C1", "C2", "C3")] == [
        (3, 20),
        (3, 7),
        (3, 20),
        (1, 20),
    ]
    assert set(caps.own) == {"C1", "C3"}


def test_instructions_may_lie_in_a_file(tmp_path: Path) -> None:
    """`@file` is read beside the policy; a missing one is a problem."""
    path = tmp_path / "purser.toml"
    (tmp_path / "shop.md").write_text("We sell shoes.\n")
    path.write_text('[channels.C1]\ninstructions = "@shop.md"\n')
    assert Policy(load(path)).rules("C1").instructions == "We sell shoes."

    path.write_text('[channels.C1]\ninstructions = "@gone.md"\n')
    with pytest.raises(BadSettings, match=r"gone\.md"):
        load(path)


def test_a_member_may_ask() -> None:
    """A full member of our own team may ask."""
    assert Policy().may_ask(MEMBER, ASK).allowed


@pytest.mark.parametrize(
    ("person", "ask", "rule"),
    [
        (replace(MEMBER, is_guest=True), ASK, "guests"),
        (replace(MEMBER, is_external=True), ASK, "external"),
        (replace(MEMBER, known=False), ASK, "external"),
        (replace(MEMBER, is_gone=True), ASK, "leaver"),
        (replace(MEMBER, is_bot=True), ASK, "bot"),
        (MEMBER, replace(ASK, external=True), "external"),
    ],
)
def test_everyone_else_is_refused_by_a_named_rule(person: Person, ask: Ask, rule: str) -> None:
    """Guests, strangers, shared channels, leavers, bots and the unknown are refused with a sentence."""
    verdict = Policy().may_ask(person, ask)

    assert (verdict.allowed, verdict.rule) == (False, rule)
    assert verdict.sentence.endswith(".")


def test_outsiders_may_be_let_in_without_tools() -> None:
    """`guests = "no-tools"` lets guests ask, but gives Claude no tools for them."""
    policy = Policy(PolicyFile(defaults={"guests": "no-tools"}))

    verdict = policy.may_ask(replace(MEMBER, is_guest=True), ASK)
    assert (verdict.allowed, verdict.tools) == (True, False)


def test_an_allow_list_names_who_may_ask() -> None:
    """With `allow_users` only those and the admins may ask in the channel."""
    policy = Policy(PolicyFile(channels={"C1": {"allow_users": ["U2"]}}, admins=("U3",)))

    assert not policy.may_ask(MEMBER, ASK).allowed
    assert policy.may_ask(replace(MEMBER, id="U2"), ASK).allowed
    assert policy.may_ask(replace(MEMBER, id="U3"), ASK).allowed


def test_paused_everywhere_means_nobody() -> None:
    """A paused workspace answers nobody."""
    policy = Policy(PolicyFile(workspace=Workspace(paused=True)))

    assert policy.may_ask(MEMBER, ASK).rule == "paused"


def test_no_project_is_open_until_named() -> None:
    """Tickets are closed by default, and the sentence says how an admin opens a project."""
    closed = Policy().may_read_project(Rules(), "SHOP")

    assert not closed.allowed
    assert "jira_projects" in closed.sentence
    assert Policy().may_read_project(Rules(jira_projects=("SHOP",)), "SHOP").allowed
    assert Policy().may_read_project(Rules(jira_projects=("*",)), "PAY").allowed


def test_the_example_policy_is_good() -> None:
    """purser.example.toml loads as it stands."""
    load(Path(__file__).parents[2] / "purser.example.toml")


def test_another_file_replaces_the_whole_one_and_slack_still_wins() -> None:
    """What the old file said is gone, what rules were handed out stay, and what an admin set in Slack still holds."""
    policy = Policy(PolicyFile(defaults={"rounds": 3}, channels={"C1": {"rounds": 4}}))
    policy.adjust(Adjusted("C1", "monthly_budget_usd", "80", "U1", 0.0))
    policy.adjust(Adjusted("C9", "monthly_budget_usd", "90", "U1", 0.0))
    handed_out = policy.rules("C1")
    policy.replace(PolicyFile(defaults={"monthly_budget_usd": 7}, admins=("U2",)))

    assert (policy.rules("C1").rounds, policy.rules("C5").rounds) == (12, 12)
    assert [policy.rules(c).monthly_budget_usd for c in ("C1", "C5", "C9")] == [80, 7, 90]
    assert (handed_out.rounds, policy.is_admin("U2")) == (4, True)


def test_the_time_zone_waits_for_the_next_start() -> None:
    """The sums of days and months follow it; the rest of the workspace's values is taken."""
    policy = Policy(PolicyFile(workspace=Workspace(timezone="Europe/Berlin")))
    policy.replace(PolicyFile(workspace=Workspace(timezone="Asia/Tokyo", paused=True)))

    assert (policy.workspace.timezone, policy.paused("C1")) == ("Europe/Berlin", "everywhere")
