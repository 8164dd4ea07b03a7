"""A rolling update under load, there and back: the last release serves, its schema is changed beneath it, ours joins.

    people    ask, go on in each other's threads, and press what they are shown, until it is over
    update    the processes, one stretch after the other: the released one alone, on the new schema, both, ours alone,
              and, rolled back, the released one again on what ours left
    found     what is wrong in the end, beside what the crash trial looks for: pure

The released one is the wheel that was kept (`benchmarks.released`), run with the libraries of this environment.
"""
