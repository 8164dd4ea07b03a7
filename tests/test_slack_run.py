"""What Slack's own command line finds in `.slack`: how it learns of the app, and how it starts it."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bot.slack.manifest import manifest

ROOT = Path(__file__).parent.parent
HOOKS = json.loads((ROOT / ".slack/hooks.json").read_text(encoding="utf-8"))
STUB = """\
#!/bin/sh
echo "$@ $SLACK_BOT_TOKEN $SLACK_APP_TOKEN"
"""
OLD = {"SLACK_CLI_XOXB": "xoxb-old", "SLACK_CLI_XAPP": "xapp-old"}
NEW = {"SLACK_BOT_TOKEN": "xoxb-new", "SLACK_APP_TOKEN": "xapp-new"}


def hook(name: str, *arguments: str, path: Path, cwd: Path = ROOT, **env: str) -> str:
    """What a hook prints, started as the command line does: no shell, options of its own behind it."""
    command, script = shlex.split(HOOKS["hooks"][name])
    ran = subprocess.run(  # noqa: S603 - our own file
        [command, ROOT / script, *arguments],
        cwd=cwd,
        env={"PATH": f"{path}:/usr/bin:/bin", **env},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


def test_the_app_is_made_of_the_manifest() -> None:
    """The hook prints the manifest and nothing else, whatever options come behind it."""
    told = hook("get-manifest", f"--source={ROOT}", path=Path(sys.executable).parent)

    assert json.loads(told) == manifest()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (OLD, "xoxb-old xapp-old"),
        ({**OLD, **NEW}, "xoxb-new xapp-new"),
        ({**OLD, "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}, "xoxb-old xapp-old"),
    ],
)
def test_it_serves_with_the_tokens_that_it_is_given(
    tmp_path: Path, given: dict[str, str], used: str
) -> None:
    """Under the names of old or of new; a name that `.env` leaves empty takes nothing away."""
    (tmp_path / "purser").write_text(STUB)
    (tmp_path / "purser").chmod(0o755)

    assert hook("start", path=tmp_path, cwd=tmp_path, **given) == f"serve {used}\n"


def test_the_connection_to_slack_is_ours() -> None:
    """Without this Slack's command line would start a process for each event."""
    assert HOOKS["config"] == {"sdk-managed-connection-enabled": True}
