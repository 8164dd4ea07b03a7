"""A standard day of a company, and what it costs by different ways to use Claude's prompt cache.

people   who asks what, when, and how they go on: seeded, the same for every policy
asked    the day's requests, made by the bot's own code, without cache marks
bill     a day's requests through the stand-in's prompt cache, by a virtual clock
usual    the ways that others take
purser   the bot's own way: the code that chooses marks, lifetimes and keep-alive calls
after    the cheapest way there was, known afterwards

The figures stand in benchmarks/README.md; `python -m benchmarks.day` makes them.
"""
