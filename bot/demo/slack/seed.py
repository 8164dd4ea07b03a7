"""A believable workspace for the Slack stand-in: a market's software team, its channels, and people of every kind."""

from dataclasses import replace

from bot.demo.slack.message import Message
from bot.demo.slack.text import type_in
from bot.demo.slack.world import Channel, Person, World

PARTNER_TEAM = "T0PARTNER"

PEOPLE = (
    Person("U0ANA", "ana", "Ana Duarte", "", tz="Europe/Lisbon"),
    Person("U0BEN", "ben", "Ben Okafor", "", tz="Europe/London"),
    Person("U0CHI", "chi", "Chi Nguyen", "", tz="Asia/Ho_Chi_Minh"),
    Person("U0MAYA", "maya", "Maya Lindqvist", "", tz="Europe/Stockholm"),
    Person("U0ADMIN", "ruth", "Ruth Adeyemi", "", is_admin=True),
    Person("U0GUEST", "gil", "Gil Torres (contractor)", "", is_restricted=True),
    Person("U0SINGLE", "sol", "Sol Kim (guest)", "", is_ultra_restricted=True),
    Person("U0GONE", "otto", "Otto Weiss", "", deleted=True),
    Person(
        "U0DEPLOY", "deploybot", "Deploy Bot", "", is_bot=True, bot_id="B0DEPLOY", app_id="A0DEPLOY"
    ),
    Person("U0OUT", "petra", "Petra Novak", PARTNER_TEAM, tz="Europe/Prague", is_stranger=True),
)

TALK = (
    (
        "#shop-dev",
        "ben",
        "Basket totals are off by a cent again in staging, SHOP-12 has the details.",
    ),
    ("#shop-dev", "ana", "I have a fix half done. Will paste it here for a look."),
    ("#payments", "chi", "Heads-up: the provider changes its refund webhook on Thursday."),
    ("#random", "maya", "Cinnamon buns in the kitchen."),
)


def settle(world: World, *, talk: bool = True) -> None:
    """People, channels and a little talk, in a world that has none yet."""
    for person in PEOPLE:
        world.add_person(replace(person, team=person.team or world.team))
    everyone = {p.id for p in world.people.values() if not p.is_stranger and not p.deleted}
    full = everyone - {"U0SINGLE", "U0GUEST", "U0DEPLOY"}
    add = world.add_channel
    add(Channel("C0SHOPDEV", "shop-dev", members=full | {"U0GUEST", "U0DEPLOY"}, topic="The shop"))
    add(Channel("C0PAYMENTS", "payments", members=set(full), topic="Money in, money out"))
    add(Channel("C0RANDOM", "random", members=full - {world.bot.id}, topic="Anything"))
    add(Channel("C0LEADS", "leads", kind="private", members={"U0MAYA", "U0ADMIN", world.bot.id}))
    add(Channel("C0SECRET", "board", kind="private", members={"U0MAYA", "U0ADMIN"}))
    add(
        Channel(
            "C0PARTNER",
            "ext-partner",
            members=full | {"U0OUT", "U0SINGLE"},
            ext_shared=True,
            topic="With Partner Ltd",
        )
    )
    add(Channel("C0OLD", "old-shop", members=set(full), archived=True))
    for where, who, text in TALK if talk else ():
        person, channel = world.person(who), world.channel(where)
        typed = type_in(world, text)
        world.put(
            Message(
                world.new_ts(), channel.id, person.id, typed.text, person.team, blocks=typed.blocks
            )
        )
