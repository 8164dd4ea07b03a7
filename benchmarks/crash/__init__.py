"""Everything that falls, falls: processes, connections, the database; and nothing is lost, doubled or unbooked.

    people    ask some hundreds of things, each with a number by which all that comes of it is known again
    blows     what befalls whom and when, by a seed
    replicas  `purser serve`, as often as wanted, each started again whenever it ends
    places    where the books lie: a file, or a PostgreSQL that can be away
    trial     all of these together, until everything is answered or time is up
    found     what is wrong in the end: pure

Only what anybody could see is believed: the threads in Slack, what Claude's side served, and the database.
"""
