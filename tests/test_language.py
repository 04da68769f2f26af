"""The language of the code base: usual English in the usual order, nouns as names.

The rules for wording apply to comments and strings of all Python files, to the page's files, and to the documentation.
The rules for names apply to `src/`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "modiste"
SOURCE_FILES = sorted(SOURCE.rglob("*.py"))
OTHER_FILES = sorted(path for folder in ("tests", "benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py"))
PAGE_FILES = sorted(path for suffix in ("js", "html", "css") for path in SOURCE.rglob(f"*.{suffix}"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

# Banned wording, as a regular expression, and what to write instead.
BANNED_WORDING = {
    r"anew": "again",
    r"whoever": "anyone who, the user who",
    r"whatever": "everything that, any",
    r"thereof": "of it",
    r"lest": "so that … not",
    r"besides": "also, in addition to",
    # "is so large that" and "is so far" are usual English.
    r"(?:is|are|was|were) so\b(?! far\b| (?:\w+ )?\w+ that\b)": "say what it is",
    r"(?:it|them) so(?= ?[.,;:)]| unless| until)": "say what it is",
    r"unless it is so": "otherwise",
    # "has not been read" and "has not changed" are usual English. So are "has no clusters" and "has none".
    r"(?:has|have|had) not (?:an?|the|any|one|its|their|enough)\b": "does not have",
    # "no more time" and "no more than" are usual English.
    r"no more(?= ?[.,;:)])": "no longer, not any more",
    r"of ours": "our",
    r"by (?:it|him|her)self alone": "alone",
    r"without a word": "silently",
    r"nor (?:is|are|was|were|does|do|did|has|have|can|will|may)\b": "and … not",
    r"wh?ence": "from which, so",
    r"where(?:in|upon|of|by)": "in which, by which",
    r"(?:there|here)(?:of|upon|with)": "of it, with it",
    r"upon": "on",
    r"shall": "must, will",
}
BANNED_NAMES = {"held", "found", "given", "asked", "made", "told", "said"}
# Gerunds that are the field's own nouns.
NOUNS_IN_ING = {"string", "sampling", "sharding", "training", "ranking", "loading", "drawing", "building"}
NOUNS_IN_LY = {"assembly", "family"}
NO_NOUNS = {
    *("afar", "again", "all", "alone", "anew", "any", "apart", "away", "each", "every", "everything", "held", "here"),
    *("his", "how", "it", "its", "kept", "made", "nearby", "none", "nothing", "now", "ours", "some", "that", "them"),
    *("there", "these", "they", "this", "those", "together", "us", "what", "where", "which", "who", "whole", "whose"),
}


class Finding(NamedTuple):
    """Where something is written that should not be."""

    line: int
    text: str
    remedy: str


def _pattern(wording: str) -> str:
    """Let the spaces of a wording match line breaks too, with the comment sign or quotation sign that follows one."""
    return wording.replace(" ", r"(?:\s+(?:(?://|\#|\*|>)\s+)?)")


COMMENT = re.compile(r"(?:^ *|  )# .*")  # as ruff formats them; in a string, it is only scanned twice
WORDING = re.compile(
    "|".join(rf"(?P<w{n}>\b{_pattern(each)})\b" for n, each in enumerate(BANNED_WORDING)), re.IGNORECASE
)
REMEDIES = list(BANNED_WORDING.values())


def find_wording(text: str, first_line: int = 1) -> Iterator[Finding]:
    """Find banned wording in a text that starts at a line of its file."""
    for match in WORDING.finditer(text):
        remedy = REMEDIES[int(str(match.lastgroup)[1:])]
        yield Finding(first_line + text.count("\n", 0, match.start()), " ".join(match[0].split()), remedy)


@cache
def parse(code: str) -> ast.Module:
    return ast.parse(code)


def python_texts(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every string and every block of comments."""
    for node in ast.walk(parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    start, block = 0, [""]
    for number, line in enumerate(code.splitlines(), 1):
        if comment := COMMENT.search(line):
            if number != start + len(block):
                yield start, "\n".join(block)
                start, block = number, []
            block.append(comment[0])
    yield start, "\n".join(block)


def find_python_wording(code: str) -> list[Finding]:
    return [finding for line, text in python_texts(code) for finding in find_wording(text, line)]


def bound_names(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of everything that is assigned, passed, imported under a name, or defined."""
    for node in ast.walk(parse(code)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                pass


def find_names(code: str) -> list[Finding]:
    return [
        Finding(line, name, "use a noun") for line, name in bound_names(code) if name.strip("_").lower() in BANNED_NAMES
    ]


def is_noun(module: str) -> bool:
    """Return whether a module's name does not contain a gerund, an adverb or a word of NO_NOUNS."""
    return not any(
        word in NO_NOUNS
        or (word.endswith("ing") and word not in NOUNS_IN_ING)
        or (word.endswith("ly") and word not in NOUNS_IN_LY)
        for word in re.split(r"[_-]", module.strip("_"))
    )


def fail_on_findings(paths: list[Path], find: Callable[[str], Iterable[Finding]]) -> None:
    """Fail with one line for each finding in the files."""
    assert len(paths) > 10
    lines = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}: {remedy}"
        for path in paths
        for line, text, remedy in find(path.read_text(encoding="utf-8"))
    ]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.parametrize("paths", [SOURCE_FILES, OTHER_FILES], ids=["source", "tests"])
def test_python_files_use_usual_wording(paths: list[Path]) -> None:
    fail_on_findings([path for path in paths if path != Path(__file__)], find_python_wording)


@pytest.mark.parametrize("paths", [PAGE_FILES, DOCUMENTS], ids=["page", "documents"])
def test_pages_and_documents_use_usual_wording(paths: list[Path]) -> None:
    fail_on_findings(paths, find_wording)


def test_variables_are_nouns() -> None:
    fail_on_findings(SOURCE_FILES, find_names)


def test_modules_are_nouns() -> None:
    modules = {part for path in SOURCE_FILES for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert len(modules) > 100
    assert [module for module in sorted(modules) if not is_noun(module)] == []


BAD_CODE = [
    ('"""Build the index anew."""', 1),
    ('def f():\n    """Return it.\n\n    Whoever asks gets it.\n    """', 4),
    ("x = 1\n# The shop has\n# not a model.\n", 2),
    ("x = 1  # unless it is so\n", 1),
    ("raise ValueError('The product is so', 'stored')", 1),
    ("x = f'{1} has not a photo'", 1),
    ("x = ('it has '\n     'not the photo')", 1),
    ("# There is no\n# more.", 1),
    ("# a process of ours", 1),
    ("# It does not fail, nor does it wait.", 1),
]


@pytest.mark.parametrize(("code", "line"), BAD_CODE)
def test_banned_wording_is_found_in_python(code: str, line: int) -> None:
    assert [finding.line for finding in find_python_wording(code)] == [line]


@pytest.mark.parametrize(
    "code",
    [
        "x = 'The photo has not been read. This index has no clusters.'",
        "# It is so large that no more than 3 fit, and needs no more memory than 1.",
        "# The blesthouse, thereafter, and marshall",
        "x = anew",
    ],
)
def test_usual_wording_is_not_a_finding(code: str) -> None:
    assert find_python_wording(code) == []


@pytest.mark.parametrize(
    "text",
    [
        "const x = 1;\n// The page is drawn\n// anew.",
        "/* The card has\n * not a photo. */",
        "<p>Without\n  a word</p>",
        "> a process\n> of ours",
    ],
)
def test_banned_wording_is_found_across_the_lines_of_a_page(text: str) -> None:
    assert list(find_wording(text))


@pytest.mark.parametrize(
    "code",
    [
        "held = 1",
        "for asked in x: pass",
        "def f(told): pass",
        "def said(): pass",
        "self._made = 1",
        "with open(x) as found: pass",
        "(given := 1)",
        "x = [held for held in y]",
        "try: pass\nexcept OSError as told: pass",
        "import numpy as found",
        "match x:\n    case [made, *said]: pass",
    ],
)
def test_banned_names_are_found(code: str) -> None:
    assert find_names(code)


def test_name_that_only_contains_a_banned_one_is_not_a_finding() -> None:
    assert find_names("held_out = connection_made = x.found\nf(given=1)") == []


@pytest.mark.parametrize("module", ["keeping", "afar", "here", "whole_rows", "kept", "_quickly", "on-looking"])
def test_module_names_that_are_not_nouns_are_found(module: str) -> None:
    assert not is_noun(module)


@pytest.mark.parametrize("module", ["__init__", "rate_limit", "sharding", "family_tree", "encode"])
def test_module_names_that_are_nouns_pass(module: str) -> None:
    assert is_noun(module)
