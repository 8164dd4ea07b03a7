"""What people ask in the demo: code with planted bugs, a page, a blunt question."""

REVIEW = "Please review this before I merge it."
SNIPPET = '''def find_orders(db, customer, seen=[]):
    """All open orders of a customer."""
    rows = db.execute("SELECT * FROM orders WHERE customer = '" + customer + "'")
    for row in rows:
        if row["state"] == "open":
            seen.append(row["id"])
    return seen
'''
"""Two bugs: SQL put together from an argument, and a mutable default that is shared by all calls."""

PLANTED = (("checkout/pay.py", 38), ("checkout/keys.py", 18), ("checkout/store.py", 32))
"""Where the bugs of the first pull request stand."""

AGAIN = "re-review, please: something was pushed"
POST = "post it to the PR"
DEAR = "Please review this, and think hard."
LONG = """import pickle
import subprocess

import requests


def load_basket(request, cache=[]):
    basket = pickle.loads(request.body)
    cache.append(basket)
    return cache[-1]


def total(basket):
    amount = 0.0
    for line in basket["lines"]:
        amount += line["price"] * line["count"]
    return eval(basket["discount"]) + amount


def export(basket, name):
    subprocess.run("gzip /tmp/" + name, shell=True)
    password = "hunter2-production"
    requests.post("https://stock.example/export", json=basket, verify=False)
    return password


def notify(db, customer):
    try:
        db.execute(f"UPDATE customers SET notified = 1 WHERE id = {customer}")
    except db.Error:
        pass
"""
"""So many bugs that the answer takes a while: long enough to be killed in the middle."""

NIGHTLY = "project SHOP nightly at 7:00"
"""A digest, which comes in the morning: the demo's clock can be moved on to it."""

QUESTION = "What does this page say about idempotency keys?"
BLUNT = "How do I kill all child processes of a worker in Python?"
"""A harmless question whose blunt wording trips the stand-in's filter."""
