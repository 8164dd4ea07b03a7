"""Purser: somebody asks in Slack, Claude answers with tools, the answer is spoken, the books are kept.

The way of an ask, each step's type on the arrow to the next:

    Slack --dict--> slack/listen --Ask--> inbox (committed, only then acked)
                                            |
                                          Lease        one ask at a time in a lane, fenced by its attempt
                                            v
      worker:  who asks? (slack/people, policy)   what was said? (slack/thread, conversation)
               what is named? (prefetch)          in how many passes? (review)
                                            |
                                       Conversation
                                            v
      turn  <----> Claude                 journal.sending before a request leaves;
        |   <----> tools (tool_runner)    response + ledger rows + budget in one transaction
        |
        | TextDelta, Whole, ToolStarted, Waiting, Withdrawn, Ended
        | (or a Quote: too dear without a person's word; parked until slack/decisions hears it)
        v
      slack/reply --> parts in the thread, each journalled before it is opened --Posted-->
                                            |
      settle: what was never read to its end is booked as unconfirmed; the ask is done --Entry--> ledger
"""

__version__ = "0.2.0.dev0"
