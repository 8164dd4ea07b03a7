"""All detectors of the program, the gravest kinds first."""

from bot.demo.claude.detectors import (
    ANY,
    CURLY,
    MONEY,
    PYTHON,
    Detector,
    blocking_calls,
    empty_average,
    lines,
    missing_awaits,
    mutable_defaults,
    removal_while_iterating,
    then,
    unchecked_index,
    unclosed,
)

SQL = r"(?i:\b(select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|where)\b)"
SECRET = (
    r"(?i)\b\w*(password|passwd|secret|token|api_?key|private_?key)\w*[\"']?\s*[:=]\s*"
    r"[\"'][^\"'\s{}<>]{6,}[\"']|AKIA[0-9A-Z]{16}|sk-ant-|xox[bp]-|ghp_\w{20}"
)
FROM_ELSEWHERE = r"(?i)environ|getenv|input\(|prompt|example|changeme|process\.env"

SECRETS = Detector(
    "hard-coded-secret",
    "Blocker",
    ANY,
    lines(SECRET, unless=FROM_ELSEWHERE),
    "A secret stands in the code; everybody who can read the repository has it",
    "It stays in the history even after the line is gone. Its value is not repeated here.",
    "Revoke it, make a new one, and read it from the environment or a secret store.",
)

BLOCKERS = (
    Detector(
        "sql-injection",
        "Blocker",
        ANY,
        lines(
            rf"f[\"'].*{SQL}.*\{{|[\"'].*{SQL}.*[\"']\s*(\+|%\s*[\w(]|\.format\()|`.*{SQL}.*\$\{{|"
            rf"(?i:execute|query)\(\s*f[\"']"
        ),
        "The SQL is put together from values, so a value can change the statement",
        "A value such as `x' OR '1'='1` reads or changes rows it should not.",
        "Pass values as parameters and leave only place-holders in the text.",
    ),
    Detector(
        "shell-injection",
        "Blocker",
        ANY,
        lines(r"shell\s*=\s*True|\bos\.system\(|\bos\.popen\(|child_process.*exec\(\s*`"),
        "A shell reads this command, so a value in it can run another command",
        "A value such as `; rm -rf .` in any part of the command is executed.",
        "Give the program and its arguments as a list, without a shell.",
    ),
    Detector(
        "evaluated-text",
        "Blocker",
        ANY,
        lines(
            r"(?<![\w.])(eval|exec)\(|\bpickle\.loads?\(|new Function\(|\byaml\.load\(",
            unless=r"SafeLoader|literal_eval",
        ),
        "Text from outside is executed",
        "Whoever controls that text runs code in this process.",
        "Parse it as data: `json.loads`, `ast.literal_eval`, `yaml.safe_load`.",
    ),
    SECRETS,
    Detector(
        "missing-await",
        "Blocker",
        ("python", "js", "text"),
        missing_awaits,
        "The coroutine is called but never awaited, so it never runs to its end",
        "On every call: the work is skipped or overlaps, and its errors are lost.",
        "Put `await` before it, or keep the task and await that.",
    ),
    Detector(
        "off-by-one",
        "Blocker",
        ANY,
        lines(
            r"range\(\s*(?:\d+\s*,\s*)?len\([^()]+\)\s*\+\s*1|"
            r"<=\s*\w[\w.]*\.(?:length|size\(\)|Length|Count)\b|<=\s*len\("
        ),
        "The loop runs one step too far",
        "In the last step the index is the length itself, and the access fails.",
        "End before the length: `range(len(x))`, `<` instead of `<=`, or iterate directly.",
    ),
    Detector(
        "float-money",
        "Blocker",
        ANY,
        lines(
            rf"(?i)\b\w*{MONEY}\w*\s*[-+*/]?=\s*[^=\n]*\b\d+\.\d+|(?i:float\(\s*[\w.\[\]\"']*{MONEY})|"
            rf"(?i:\b\w*{MONEY}\w*\s*[*/]\s*\d*\.\d+)|(?i:\bdouble\s+\w*{MONEY})|(?i:\bfloat\s+\w*{MONEY})|"
            rf"(?i:{MONEY}\w*\s*:\s*float\b)",
            unless=r"Decimal|timeout",
        ),
        "Money is kept in floating point",
        "0.1 + 0.2 is not 0.3: sums drift, and comparisons with exact amounts fail.",
        "Count in the smallest unit as integers, or use `Decimal`.",
    ),
)  # fmt: skip

MAJORS = (
    Detector(
        "mutable-default",
        "Major",
        PYTHON,
        mutable_defaults,
        "The default argument is made once and shared by all calls",
        "The second call without this argument sees what the first one put into it.",
        "Default to `None` and make a new one inside.",
    ),
    Detector(
        "swallowed-exception",
        "Major",
        ANY,
        then(r"^\s*except(\s+(Base)?Exception(\s+as\s+\w+)?)?\s*:", r"^\s*(pass|continue|\.\.\.|return( None)?)\s*$", within=1),
        "The exception is swallowed",
        "Any failure, also a typing mistake or a full disk, ends in silence and a wrong result.",
        "Catch the one exception that is expected; let the others through or log and re-raise.",
    ),
    Detector(
        "bare-except",
        "Major",
        PYTHON,
        lines(r"^\s*except\s*:"),
        "A bare `except` catches everything, also the wish to stop",
        "Ctrl-C, cancellation and mistakes in the code are treated like the expected failure.",
        "Name the exception that is expected here.",
    ),
    Detector(
        "empty-catch",
        "Major",
        CURLY,
        lines(r"catch\s*(\([^)]*\))?\s*\{\s*(//[^\n]*)?\}"),
        "The exception is swallowed",
        "A failure ends in silence, and what follows works with what is not there.",
        "Handle it or let it through.",
    ),
    Detector(
        "ignored-error",
        "Major",
        ("go",),
        lines(r"\w+,\s*_\s*:?=\s*\w"),
        "The returned error is thrown away",
        "When the call fails, the value is empty and is used all the same.",
        "Check the error and return it.",
    ),
    Detector(
        "check-then-act",
        "Major",
        ANY,
        then(r"if\s+(not\s+)?(os\.path\.exists|os\.path\.isfile|\w+\.exists)\(|if\s*\(?.*\b(?P<what>[\w.]*(?:balance|stock|seats|quota|inventory|remaining|available|credits)\w*)\b.*(>=|>|<)",
             r"open\(|remove\(|unlink\(|mkdir|makedirs\(|rename\(|-=|{what}\s*=\s*{what}\s*-", within=4, unless=r"(?i)\block\b|for update|transaction|atomic|exist_ok"),
        "It checks first and acts later; between the two somebody else can act",
        "Two callers at the same moment both pass the check, and both act.",
        "Make it one step: a lock, a conditional update, or try it and handle the failure.",
    ),
    Detector(
        "blocking-in-async",
        "Major",
        PYTHON,
        blocking_calls,
        "A blocking call stands in a coroutine and holds up everything else",
        "While it waits, no other task of the process moves.",
        "Use the asynchronous counterpart, or a thread (`asyncio.to_thread`).",
    ),
    Detector(
        "not-closed",
        "Major",
        PYTHON,
        unclosed,
        "What is opened here is not closed on every way out",
        "An exception before the end leaks it; under load the process runs out of handles.",
        "Open it in a `with` block.",
    ),
    Detector(
        "no-timeout",
        "Major",
        PYTHON,
        lines(r"\brequests\.(get|post|put|delete|patch|request)\(|\burlopen\(", unless=r"timeout"),
        "The network call has no time limit",
        "A server that accepts and stays silent holds this caller for ever.",
        "Pass `timeout=`, and decide what happens when it runs out.",
    ),
    Detector(
        "unchecked-index",
        "Major",
        ("python", "js", "java", "go", "text"),
        unchecked_index,
        "An element is taken although there may be none",
        "With an empty result, or one part fewer than expected, the access fails.",
        "Check for emptiness first and say what should happen then.",
    ),
    Detector(
        "empty-average",
        "Major",
        ANY,
        empty_average,
        "It divides by a length that may be zero",
        "With an empty collection the division fails (or gives NaN).",
        "Decide what the result is for an empty one, and return that first.",
    ),
    Detector(
        "changed-while-iterating",
        "Major",
        PYTHON,
        removal_while_iterating,
        "The collection is changed while it is iterated",
        "Elements are skipped (a list) or the loop fails (a dict).",
        "Iterate over a copy, or build a new collection.",
    ),
    Detector(
        "loose-equality",
        "Major",
        ("js",),
        lines(r"[^=!<>]==[^=]|!=[^=]", unless=r"[!=]=\s*null\b|===|!=="),
        "`==` converts its sides before it compares",
        "`0 == ''` and `'1' == 1` are true, so the wrong branch is taken.",
        "Compare with `===` or `!==`.",
    ),
    Detector(
        "string-identity",
        "Major",
        ("java",),
        lines(r"[!=]=\s*\"|\"\s*[!=]=\s"),
        "Strings are compared by identity",
        "Two equal strings from different places are not the same object.",
        "Use `equals`.",
    ),
    Detector(
        "unescaped-html",
        "Major",
        ("js",),
        lines(r"\.innerHTML\s*\+?=\s*(?![\"']\s*[\"'])|dangerouslySetInnerHTML|document\.write\("),
        "Text becomes HTML without being escaped",
        "A name such as `<img src=x onerror=…>` runs as script for everybody who sees it.",
        "Set `textContent`, or escape it.",
    ),
    Detector(
        "async-for-each",
        "Major",
        ("js",),
        lines(r"\.forEach\(\s*async\b"),
        "`forEach` does not wait for what is asynchronous",
        "The code behind it runs before the work is done, and errors are lost.",
        "Use `for … of` with `await`, or `Promise.all`.",
    ),
    Detector(
        "integer-division",
        "Major",
        ("java", "go", "python"),
        lines(rf"\b(int|long)\s+\w+\s*=\s*[\w.]+\s*/\s*[\w.]+\s*;|(?i:\b\w*({MONEY}|cents)\w*\s*//)"),
        "The division drops the remainder",
        "7 / 2 is 3: of what is divided, a part is lost each time.",
        "Say where the remainder goes, or divide exactly.",
    ),
    Detector(
        "no-verification",
        "Major",
        ANY,
        lines(r"verify\s*=\s*False|rejectUnauthorized\s*:\s*false|InsecureSkipVerify\s*:\s*true"),
        "The certificate of the other side is not checked",
        "Anyone on the way can read and change what is sent.",
        "Check certificates; give an own authority where one is needed.",
    ),
)  # fmt: skip

MINORS = (
    Detector(
        "none-comparison",
        "Minor",
        PYTHON,
        lines(r"[=!]=\s*None\b"),
        "`None` is compared by value",
        "An object with an own `__eq__` can answer anything.",
        "Write `is None` or `is not None`.",
    ),
    Detector(
        "identity-of-literal",
        "Minor",
        PYTHON,
        lines(r"\bis\s+(not\s+)?([\"']|\d)"),
        "A literal is compared by identity",
        "It is true or false by an accident of the interpreter.",
        "Compare with `==`.",
    ),
    Detector(
        "weak-hash",
        "Minor",
        ANY,
        lines(r"(?i)\b(md5|sha1)\("),
        "The hash is a weak one",
        "Two inputs with the same hash can be made on purpose.",
        "Use SHA-256, and for passwords a slow hash made for them.",
    ),
    Detector(
        "naive-time",
        "Minor",
        PYTHON,
        lines(r"\.utcnow\(\)|datetime\.now\(\)"),
        "The time has no zone",
        "Compared with a time that has one it fails; across zones it is wrong.",
        "Use `datetime.now(UTC)`.",
    ),
)

ALL = (*BLOCKERS, *MAJORS, *MINORS)
