"""What is set and lies here: settings, the policy, and who may read or change their files."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bot.doctor import Finding
from bot.policy import Policy
from bot.settings import MENDS, Settings

OTHERS_READ, OTHERS_WRITE = 0o077, 0o022


def examine(settings: Settings, policy: Policy) -> list[Finding]:
    """What is missing, whom the policy names, and whose files may be read by others."""
    file = settings.purser_policy
    loose = [
        *_loose(settings.secret_files, OTHERS_READ, "read"),
        *_loose([file], OTHERS_WRITE, "changed"),
    ]
    return [*_unset(settings), _policy(file, policy), *loose]


def _unset(settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    for problem in settings.missing():
        name, _, words = problem.partition(": is not set; ")
        if name == "SLACK_SIGNING_SECRET":
            words += f", or for Socket Mode SLACK_APP_TOKEN: {MENDS['SLACK_APP_TOKEN']}"
        if words:
            found.append(Finding(name, "red", "is not set", words))
    return found


def _policy(file: Path, policy: Policy) -> Finding:
    where = str(file) if file.is_file() else f"there is no {file}, so the defaults hold"
    if not policy.admins:
        mend = 'name them in purser.toml: [admins], users = ["U0123456789"]'
        return Finding("Policy", "yellow", f"{where}; no admins are named", mend)
    return Finding("Policy", "green", where)


def _loose(files: Iterable[Path], bits: int, done: str) -> list[Finding]:
    """Those of our own files that others may read or change; what a platform mounts is its own affair."""
    found: list[Finding] = []
    for file in files:
        told = file.stat() if file.is_file() else None
        if (
            told is None
            or told.st_uid != os.getuid()
            or not (mode := stat.S_IMODE(told.st_mode)) & bits
        ):
            continue
        says = f"may be {done} by others (mode {mode:o})"
        found.append(Finding(f"File {file.name}", "yellow", says, f"chmod {mode & ~bits:o} {file}"))
    return found
