"""JQL as a tree: a tokenizer and a parser, with Jira's own words for what is wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

OPERATORS = ("=", "!=", "<", ">", "<=", ">=", "~", "!~")
LISTED = "'=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'"
RESERVED = "!@#$%^&*|?{}[]+:;/\\`"
WORD = re.compile(r"[^\s()=!<>~,\"'@#$%^&*|?{}\[\]+:;/\\`]+")
KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "order", "by", "empty", "null", "asc", "desc"}
)


class JqlProblem(Exception):
    """The query cannot be read; the message is the one Jira gives."""


@dataclass(frozen=True)
class Token:
    """A piece of a query; `kind` is word, text, op, ( or ) or a comma; `at` counts from 0."""

    kind: str
    text: str
    at: int

    @property
    def lower(self) -> str:
        """A bare word in small letters; nothing else is a keyword."""
        return self.text.lower() if self.kind == "word" else ""


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[str, ...]


Operand = str | Call | None  # None is EMPTY


@dataclass(frozen=True)
class Clause:
    """`field operator operands`; operators are small letters: =, ~, in, not in, is, is not..."""

    field: str
    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Both:
    """AND (`every`) or OR of several."""

    every: bool
    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Negation:
    """NOT."""

    part: "Tree"


Tree = Clause | Both | Negation


@dataclass(frozen=True)
class Query:
    """A whole query; `order` is (field, descending) pairs."""

    where: Tree | None
    order: tuple[tuple[str, bool], ...]


def tokens(text: str) -> list[Token]:
    """Cut a query into tokens.

    Raises:
        JqlProblem: A quote is open, or a reserved character stands outside of quotes.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
        elif character in "\"'":
            value, end = _quoted(text, at)
            found.append(Token("text", value, at))
            at = end
        elif character in "(),":
            found.append(Token(character, character, at))
            at += 1
        elif character in "=!<>~":
            two = text[at : at + 2]
            operator = two if two in OPERATORS else character
            if operator not in OPERATORS:
                raise JqlProblem(_reserved(character, text, at))
            found.append(Token("op", operator, at))
            at += len(operator)
        else:
            word = WORD.match(text, at)
            bracket = re.compile(r"cf\[\d+\]", re.IGNORECASE).match(text, at)
            if bracket:
                word = bracket
            if word is None:
                raise JqlProblem(_reserved(character, text, at))
            found.append(Token("word", word[0], at))
            at = word.end()
    return found


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote, value, here = text[at], "", at + 1
    while here < len(text):
        if text[here] == "\\" and here + 1 < len(text):
            value += text[here + 1]
            here += 2
        elif text[here] == quote:
            return value, here + 1
        else:
            value += text[here]
            here += 1
    raise JqlProblem(
        f"Error in the JQL Query: The quoted string '{value}' has not been completed. {_place(text, at)}"
    )


def _reserved(character: str, text: str, at: int) -> str:
    return (
        f"Error in the JQL Query: The character '{character}' is a reserved JQL character. "
        "You must enclose it in a string or use the escape "
        f"'\\u{ord(character):04x}' instead. {_place(text, at)}"
    )


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"(line {line}, character {at - text.rfind(chr(10), 0, at)})"


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0

    def query(self) -> Query:
        where = None
        if self._peek() and self._peek().lower != "order":
            where = self._any()
        order: tuple[tuple[str, bool], ...] = ()
        if self._take("order"):
            if not self._take("by"):
                raise self._unexpected("'BY'")
            order = tuple(self._order())
        if self._peek():
            raise self._unexpected("either 'OR' or 'AND'")
        return Query(where, order)

    def _order(self) -> list[tuple[str, bool]]:
        pairs: list[tuple[str, bool]] = []
        while True:
            name = self._name("a field name")
            descending = bool(self._take("desc"))
            if not descending:
                self._take("asc")
            pairs.append((name, descending))
            if self._peek().kind != ",":
                return pairs
            self._at += 1

    def _any(self) -> Tree:
        parts = [self._every()]
        while self._take("or"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Both(False, tuple(parts))

    def _every(self) -> Tree:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(True, tuple(parts))

    def _one(self) -> Tree:
        if self._peek().text == "!" or self._take("not"):
            return Negation(self._one())
        if self._peek().kind == "(":
            self._at += 1
            tree = self._any()
            if self._peek().kind != ")":
                raise self._unexpected("either 'OR' or 'AND' or ')'")
            self._at += 1
            return tree
        return self._clause()

    def _clause(self) -> Clause:
        name = self._name("a field name")
        here = self._peek()
        if here.kind == "op":
            self._at += 1
            return Clause(name, here.text, (self._operand(),))
        if self._take("in"):
            return Clause(name, "in", self._list())
        if self._take("is"):
            operator = "is not" if self._take("not") else "is"
            return Clause(name, operator, (self._operand(),))
        if self._take("not"):
            if not self._take("in"):
                raise self._unexpected("'IN'")
            return Clause(name, "not in", self._list())
        raise self._unexpected("operator", f" The valid operators are {LISTED}.")

    def _list(self) -> tuple[Operand, ...]:
        if self._peek().kind != "(":
            return (self._operand(),)
        self._at += 1
        operands = [self._operand()]
        while self._peek().kind == ",":
            self._at += 1
            operands.append(self._operand())
        if self._peek().kind != ")":
            raise self._unexpected("',' or ')'")
        self._at += 1
        return tuple(operands)

    def _operand(self) -> Operand:
        here = self._peek()
        if here.kind not in {"word", "text"} or here.lower in {"and", "or", "order"}:
            raise self._unexpected("a value, list or function")
        self._at += 1
        if here.lower in {"empty", "null"}:
            return None
        if here.kind == "word" and self._peek().kind == "(":
            return Call(here.text, self._arguments())
        return here.text

    def _arguments(self) -> tuple[str, ...]:
        self._at += 1
        arguments: list[str] = []
        while self._peek().kind in {"word", "text"}:
            arguments.append(self._peek().text)
            self._at += 1
            if self._peek().kind == ",":
                self._at += 1
        if self._peek().kind != ")":
            raise self._unexpected("',' or ')'")
        self._at += 1
        return tuple(arguments)

    def _name(self, wanted: str) -> str:
        here = self._peek()
        if here.kind not in {"word", "text"} or here.lower in KEYWORDS:
            raise self._unexpected(wanted)
        self._at += 1
        return here.text

    def _peek(self) -> "Token":
        return self._tokens[self._at] if self._at < len(self._tokens) else END

    def _take(self, word: str) -> bool:
        if self._peek().lower != word:
            return False
        self._at += 1
        return True

    def _unexpected(self, wanted: str, more: str = "") -> JqlProblem:
        here = self._peek()
        if here is END:
            return JqlProblem(
                f"Error in the JQL Query: Expecting {wanted} before the end of the query.{more}"
            )
        place = _place(self._text, here.at)
        return JqlProblem(
            f"Error in the JQL Query: Expecting {wanted} but got '{here.text}'.{more} {place}"
        )


class _End(Token):
    """What stands after the last token; false, so that `while peek` ends."""

    def __bool__(self) -> bool:
        return False


END = _End("end", "", -1)


def parse(text: str) -> Query:
    """A query's tree.

    Raises:
        JqlProblem: The text is no JQL.
    """
    return _Parser(text).query()


def clauses(tree: Tree | None) -> Sequence[Clause]:
    """Every clause of a tree."""
    if tree is None:
        return []
    if isinstance(tree, Clause):
        return [tree]
    parts = [tree.part] if isinstance(tree, Negation) else tree.parts
    return [c for part in parts for c in clauses(part)]
