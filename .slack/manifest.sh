# What `slack run` and `slack install` make the app of. Slack's command line adds options of its own, which say nothing here.
PATH=".venv/bin:$PATH" exec purser manifest
