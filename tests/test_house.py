"""The house's own rules, counted: sizes, frontiers, names and who reads the environment."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("integrations/**/*.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))

MODULE_LINES = 400  # at most
FUNCTION_LINES = 70  # at most
FUNCTION_LINES_P90 = 35
FRONTIERS = {"bot/tool_runner.py", "bot/worker.py", "bot/__main__.py"}
MONEY = {"cost", "costs", "usd", "dollars", "picos", "cents", "spent", "price", "prices", "budget"}
NAMELESS = re.compile(
    r"(^|_)(utils?|helpers?|common|misc|core|base|managers?|handlers?|services?)$"
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (f"{_name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_module_outgrows_its_page() -> None:
    """A module has at most 400 lines; the median has at most 200."""
    lines = {_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}

    assert {name: n for name, n in lines.items() if n > MODULE_LINES} == {}
    assert median(n for n in lines.values() if n) <= 200


def test_functions_fit_a_screen() -> None:
    """No function is over 70 lines, and nine of ten have at most 35."""
    lengths = [f for path in SOURCES for f in _functions(path)]

    assert [f for f in lengths if f[1] > FUNCTION_LINES] == []
    assert sorted(n for _, n in lengths)[int(len(lengths) * 0.9)] <= FUNCTION_LINES_P90


def test_only_main_reads_the_process_environment() -> None:
    """`os.environ`, `os.getenv` and `sys.argv` are read in bot/__main__.py alone."""
    reads = re.compile(r"os\.environ|os\.getenv|getenv\(|sys\.argv")
    readers = {_name(p) for p in SOURCES if reads.search(p.read_text(encoding="utf-8"))}

    assert readers <= {"bot/__main__.py"}


def _money_as_float(path: Path) -> list[str]:
    """Where money becomes a float: by its annotation, or by a call."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                pass
            case ast.arg(arg=name, annotation=ast.expr() as kind):
                pass
            case ast.FunctionDef(name=name, returns=ast.expr() as kind):
                pass
            case ast.Call(func=ast.Name(id="float") as kind, args=[worth]):
                name = ast.unparse(worth)
            case _:
                continue
        words = re.findall(r"[a-z]+", name.lower())
        if MONEY & {*words} and re.search(r"\bfloat\b", ast.unparse(kind)):
            found.append(f"{_name(path)}: {name}")
    return found


def test_money_is_never_a_float() -> None:
    """Money is an integer or a decimal; it becomes a float only where Prometheus and Slack's charts know nothing else."""
    found = [one for path in SOURCES for one in _money_as_float(path)]

    assert {one.partition(":")[0] for one in found} <= {"bot/metrics.py", "bot/slack/sheets.py"}
    assert len(found) <= 2


def test_exceptions_are_caught_whole_at_three_frontiers_only() -> None:
    """`except Exception` stands at one tool call, one ask, and the process."""
    broad = re.compile(r"except\s*(\(?\s*(Base)?Exception\b|:)")
    holders = {_name(p) for p in SOURCES if broad.search(p.read_text(encoding="utf-8"))}

    assert holders <= FRONTIERS


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_names_name_something(path: Path) -> None:
    """No module or class is called utils, helpers, manager, handler, service or the like."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = [path.stem] + [n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    snake = [re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", w).lower() for w in words]

    assert [w for w in snake if NAMELESS.search(w)] == []


def _patches(path: Path) -> bool:
    """Whether a test file's code (not its strings) patches or mocks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    imports = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    return (
        "unittest.mock" in imports
        or bool({"MagicMock", "AsyncMock", "Mock"} & (names | attributes))
        or ("monkeypatch" in names and "setattr" in attributes)
    )


def test_nothing_is_patched() -> None:
    """Tests speak to stand-ins on the wire or pass arguments; they patch nothing."""
    assert [_name(p) for p in TESTS if _patches(p)] == []


def test_only_the_slack_rooms_import_slack() -> None:
    """slack_bolt and slack_sdk are imported by bot/slack and bot/app alone; anthropic by its integration and app."""
    slack = re.compile(r"^\s*(from|import) slack_(bolt|sdk)", re.MULTILINE)
    claude = re.compile(r"^\s*(from|import) (anthropic|httpx2)", re.MULTILINE)
    text = {_name(p): p.read_text(encoding="utf-8") for p in SOURCES}

    rooms = ("bot/slack/", "bot/app/")
    assert {n for n, t in text.items() if slack.search(t) and not n.startswith(rooms)} <= {
        "bot/doctor/slack.py",
    }
    assert {n for n, t in text.items() if claude.search(t)} <= {
        "bot/app/clients.py",
        "integrations/claude.py",
        "integrations/claude_batches.py",
        "integrations/claude_errors.py",
        "integrations/claude_events.py",
    }
