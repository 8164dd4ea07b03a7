"""What durability costs: Purser beside a bare Bolt app that makes the same calls and keeps nothing.

    this process            the Slack stand-in, and the people who ask (`town`)
      ├── claude            the Claude stand-in
      ├── bare              a Bolt app: status, Claude, post, receipt; no store, no books, no log (`bare`)
      └── purser serve      Purser as it is installed

Only what `apps` starts is measured; the stand-ins' own work is not counted, though it takes place on the same cores.
`trial` lets them race in turns, delivers everything twice, and fills the house; `targets` judges.
"""
