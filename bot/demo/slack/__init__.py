"""Slack as a stand-in on loopback: a workspace with people, spoken to over Slack's real wire.

    people (speech, gestures)                        the app (slack_bolt, slack_sdk, unmodified)
        |                                                 |                    ^
        v                                                 v  /api/METHOD       |  envelopes
      world  <------- chat, streams, files, views, directory <- api            |
        |                                                                      |
        +--> announce -> events (retries) -> sockets | http_door --------------+

`standin.SlackStandIn` puts it together; `watch` keeps the log and tells of every change; `troubles` says what
goes wrong; `limits` and `methods` hold Slack's numbers; `seed` fills the workspace.
"""

from bot.demo.slack.gestures import Ack
from bot.demo.slack.message import File, Message
from bot.demo.slack.standin import SlackStandIn
from bot.demo.slack.troubles import Troubles
from bot.demo.slack.views import View
from bot.demo.slack.watch import Change, WireLine
from bot.demo.slack.world import Channel, Person

__all__ = [
    "Ack",
    "Change",
    "Channel",
    "File",
    "Message",
    "Person",
    "SlackStandIn",
    "Troubles",
    "View",
    "WireLine",
]
