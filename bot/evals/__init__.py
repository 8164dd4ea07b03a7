"""Evaluation: the bot's own way of reviewing and summarising, run on cases whose right answer is written down.

    cases ── trial (the real turn, tools that give the case) ── marking ── figures ── table
                                                                  │
                                     found, matching, judging ────┘

A finding counts where its file, its line and its meaning are a defect's: the first two are compared here, the last is
judged by the quick model. Nothing here is a figure until somebody ran it with a real key.
"""
