"""Strangers we call. None knows the bot or another; each returns plain frozen data and errors of its own."""
