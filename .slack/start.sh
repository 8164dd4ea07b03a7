# What `slack run` starts, with the tokens of the app that it has installed: the newer names where it gives them.
export SLACK_BOT_TOKEN="${SLACK_BOT_TOKEN:-$SLACK_CLI_XOXB}" SLACK_APP_TOKEN="${SLACK_APP_TOKEN:-$SLACK_CLI_XAPP}"
PATH=".venv/bin:$PATH" exec purser serve
