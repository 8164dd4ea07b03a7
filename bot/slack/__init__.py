"""The door: the only rooms that know Slack. Everything is Markdown until it comes here."""
