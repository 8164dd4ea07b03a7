"""How GitHub writes things down: pull requests, files, commits, contents and comments as JSON."""

import base64
from datetime import UTC, datetime, timedelta

from bot.demo.github.repositories import Change, Commit, Json, Pull, Repository, blob, changes


class Shapes:
    """Writes JSON.

    Args:
        api: The base of the interface, with /api/v3 on an Enterprise server.
        site: The base of the pages people look at.
        now: Epoch seconds that ages are counted from.
    """

    def __init__(self, api: str, site: str, now: float) -> None:
        self._api = api
        self._site = site
        self._now = datetime.fromtimestamp(now, UTC).replace(microsecond=0)

    def moment(self, days: int = 0) -> str:
        """So many days ago, as GitHub prints it."""
        return f"{self._now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"

    def user(self, login: str) -> Json:
        """An account, short."""
        return {
            "login": login,
            "id": sum(login.encode()),
            "type": "User",
            "html_url": f"{self._site}/{login}",
            "site_admin": False,
        }

    def repository(self, repository: Repository) -> Json:
        """A repository, short."""
        owner, _, name = repository.name.partition("/")
        return {
            "id": repository.id,
            "name": name,
            "full_name": repository.name,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "owner": self.user(owner),
            "html_url": f"{self._site}/{repository.name}",
            "url": f"{self._api}/repos/{repository.name}",
            "default_branch": repository.branch,
        }

    def pull(self, repository: Repository, pull: Pull) -> Json:
        """A pull request with its counts."""
        page = f"{self._site}/{repository.name}/pull/{pull.number}"
        found = changes(repository.commits[pull.base].tree, repository.commits[pull.head].tree)
        short = self.repository(repository)
        return {
            "url": f"{self._api}/repos/{repository.name}/pulls/{pull.number}",
            "id": repository.id * 100 + pull.number,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "number": pull.number,
            "state": pull.state,
            "locked": pull.locked,
            "draft": False,
            "merged": pull.merged,
            "mergeable": True,
            "title": pull.title,
            "body": pull.body or None,
            "user": self.user(pull.author),
            "created_at": self.moment(pull.days),
            "updated_at": self.moment(),
            "closed_at": None,
            "merged_at": None,
            "head": {
                "label": f"shop:{pull.branch}",
                "ref": pull.branch,
                "sha": pull.head,
                "repo": short,
            },
            "base": {
                "label": f"shop:{repository.branch}",
                "ref": repository.branch,
                "sha": pull.base,
                "repo": short,
            },
            "commits": 1,
            "comments": len(pull.comments),
            "review_comments": len(pull.review_comments),
            "additions": sum(c.additions for c in found),
            "deletions": sum(c.deletions for c in found),
            "changed_files": len(found),
        }

    def file(self, repository: Repository, sha: str, change: Change) -> Json:
        """A changed file with its hunks."""
        here = f"{repository.name}/blob/{sha}/{change.path}"
        return {
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{self._site}/{here}",
            "raw_url": f"{self._site}/{repository.name}/raw/{sha}/{change.path}",
            "contents_url": f"{self._api}/repos/{repository.name}/contents/{change.path}?ref={sha}",
            "patch": change.patch,
        }

    def commit(self, repository: Repository, commit: Commit) -> Json:
        """A commit with its files."""
        before = repository.commits[commit.parent].tree if commit.parent else {}
        found = changes(before, commit.tree)
        who = {
            "name": commit.author,
            "email": f"{commit.author}@shop.example",
            "date": self.moment(),
        }
        return {
            "sha": commit.sha,
            "url": f"{self._api}/repos/{repository.name}/commits/{commit.sha}",
            "html_url": f"{self._site}/{repository.name}/commit/{commit.sha}",
            "commit": {"message": commit.message, "author": who, "committer": who},
            "author": self.user(commit.author),
            "parents": [{"sha": commit.parent}] if commit.parent else [],
            "stats": {
                "additions": sum(c.additions for c in found),
                "deletions": sum(c.deletions for c in found),
                "total": sum(c.additions + c.deletions for c in found),
            },
            "files": [self.file(repository, commit.sha, c) for c in found],
        }

    def comparison(self, repository: Repository, base: Commit, head: Commit) -> Json:
        """What compare answers."""
        found = changes(base.tree, head.tree)
        return {
            "url": f"{self._api}/repos/{repository.name}/compare/{base.sha}...{head.sha}",
            "html_url": f"{self._site}/{repository.name}/compare/{base.sha}...{head.sha}",
            "status": "identical" if base.sha == head.sha else "ahead",
            "ahead_by": 0 if base.sha == head.sha else 1,
            "behind_by": 0,
            "total_commits": 0 if base.sha == head.sha else 1,
            "base_commit": self.commit(repository, base),
            "merge_base_commit": self.commit(repository, base),
            "commits": [] if base.sha == head.sha else [self.commit(repository, head)],
            "files": [self.file(repository, head.sha, c) for c in found],
        }

    def content(self, repository: Repository, commit: Commit, path: str) -> Json:
        """A file as JSON, base64 in lines of 60 as GitHub does it."""
        text = commit.tree[path]
        coded = base64.b64encode(text.encode()).decode()
        return {
            **self.entry(repository, commit, path),
            "encoding": "base64",
            "content": "".join(f"{coded[n : n + 60]}\n" for n in range(0, len(coded), 60)),
        }

    def entry(self, repository: Repository, commit: Commit, path: str) -> Json:
        """A file in a directory's listing."""
        text = commit.tree[path]
        return {
            "type": "file",
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": blob(text),
            "size": len(text.encode()),
            "url": f"{self._api}/repos/{repository.name}/contents/{path}?ref={commit.sha}",
            "html_url": f"{self._site}/{repository.name}/blob/{commit.sha}/{path}",
            "git_url": f"{self._api}/repos/{repository.name}/git/blobs/{blob(text)}",
            "download_url": f"{self._site}/{repository.name}/raw/{commit.sha}/{path}",
        }

    def review(self, repository: Repository, number: int, kept: Json) -> Json:
        """A review; its comments are listed elsewhere."""
        page = f"{self._site}/{repository.name}/pull/{number}"
        told = {name: kept[name] for name in ("id", "body", "state", "commit_id")}
        return {
            **told,
            "user": self.user(kept["login"]),
            "html_url": f"{page}#pullrequestreview-{kept['id']}",
            "pull_request_url": f"{self._api}/repos/{repository.name}/pulls/{number}",
            "author_association": "COLLABORATOR",
            **({} if kept["state"] == "PENDING" else {"submitted_at": self.moment()}),
        }

    def comment(self, repository: Repository, number: int, login: str, told: Json) -> Json:
        """A comment on a pull request, kept as it was sent, with its id and place."""
        made: Json = {"id": told["id"], "user": self.user(login), "created_at": self.moment()}
        anchor = f"issuecomment-{told['id']}" if "path" not in told else f"discussion_r{told['id']}"
        made["html_url"] = f"{self._site}/{repository.name}/pull/{number}#{anchor}"
        return {**told, **made, "updated_at": self.moment()}
