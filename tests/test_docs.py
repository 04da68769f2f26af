"""The documentation matches the program: commands, options, errors, links and snippets."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from modiste import errors
from modiste.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str) -> Iterator[str]:
    """Yield the fenced blocks of one language."""
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match[1] == language:
            yield match[2]


def without_code(page: Path) -> str:
    return re.sub(r"`[^`\n]*`", "code", BLOCK.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: its headings, as GitHub and the site write them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    names: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        names.add(re.sub(r" ", "-", plain.strip()))
    return names


def shown_commands(page: Path) -> Iterator[list[str]]:
    """Yield every `modiste …` line of a console block, as words."""
    for block in blocks(page, "console"):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["modiste"]:
                yield words[1:]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "scripts" / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_reference_is_current(generator: ModuleType):
    for name, text in generator.pages().items():
        written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert written == text, f"docs/reference/{name} is not current: run `make reference`"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str):
    text = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    section = next((each for each in sections if each.startswith(f"modiste {name}\n")), "")
    assert section, f"docs/reference/cli.md has no heading for {name}"
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{name} {parameter.name} has no help text"
        if parameter.param_type_name == "option" and not parameter.hidden:
            assert all(f"`{option}`" in section for option in parameter.opts)


ERRORS = [
    error_class
    for error_class in vars(errors).values()
    if inspect.isclass(error_class) and issubclass(error_class, errors.ModisteError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_documented(error: type[errors.ModisteError]):
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert f"| `modiste.errors.{error.__name__}` | {error.exit_code} |" in page
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__ or ""), "the tree in errors.py lacks it"


REJECTING = ("Rejection", "PhotoError", "FetchError", "_fetch_error")


def rejection_reasons() -> set[str]:
    """Return every reason for `rejected.csv` that the source passes as a constant."""
    reasons: set[str] = set()
    for path in (ROOT / "src" / "modiste").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in REJECTING:
                values = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
                if ast.unparse(node.func) not in ("PhotoError", "FetchError"):
                    values += node.args[1:2]
                reasons |= {str(value.value) for value in values if isinstance(value, ast.Constant)}
    return reasons


def test_every_rejection_reason_is_documented():
    page = (ROOT / "docs" / "reference" / "shop-format.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_0-9]+)` \| ", page.partition("## rejected.csv")[2], re.MULTILINE))
    reasons = rejection_reasons()
    assert {"bad_url", "not_a_photo", "duplicate_id", "timeout"} <= reasons
    assert reasons <= documented
    assert set(errors.PHOTO_REASONS) <= reasons


@each_page
def test_commands_in_examples_exist(page: Path):
    for words in shown_commands(page):
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, f"{page.name} shows `modiste {words[0]}`, which does not exist"
        known = {option for each in COMMANDS[words[0]].params for option in each.opts} | {"--help", "-h"}
        for word in words[1:]:
            if re.fullmatch(r"--?[a-z][a-z-]*", word):
                assert word in known, f"{page.name} shows `modiste {words[0]} {word}`, which does not exist"


@each_page
def test_internal_links_resolve(page: Path):
    for target in LINK.findall(without_code(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        where = (page.parent / path).resolve() if path else page
        assert where.exists(), f"{page.name} links to {target}"
        home = ROOT / "docs" if page.is_relative_to(ROOT / "docs") else ROOT
        assert where.is_relative_to(home), f"{page.name} links out of {home.name}: {target}"
        if anchor:
            assert anchor in anchors(where), f"{page.name} links to {target}, which has no such heading"


@each_page
def test_python_snippets_compile(page: Path):
    for number, block in enumerate(blocks(page, "python"), start=1):
        compile(block, f"{page.name} snippet {number}", "exec")


@each_page
def test_names_imported_in_python_snippets_exist(page: Path):
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "modiste":
                module = importlib.import_module(node.module or "")
                assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@each_page
def test_page_contains_no_local_path_or_registry_host(page: Path):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.~])/(work|home|Users|root|opt|var)/", text)
    assert not re.search(r"pypi\.org|pythonhosted|download\.pytorch|npmjs", text)


@each_page
def test_repository_files_named_on_a_page_exist(page: Path):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|benchmarks|scripts|deploy|requirements)/[\w./-]+)[`:]", text)
    assert not [name for name in named if not (ROOT / name).exists()]


@each_page
def test_make_targets_named_on_a_page_exist(page: Path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    lines = "\n".join(blocks(page, "console"))
    shown = re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")) + re.findall(r"\$ make ([a-z-]+)", lines)
    assert set(shown) <= targets


def test_every_page_is_in_the_site_navigation():
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]

    def files(entries: Any) -> Iterator[str]:
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, str):
                yield entry
            else:
                for inner in entry.values():
                    yield from files(inner)

    assert sorted(files(site["nav"])) == sorted(
        str(p.relative_to(ROOT / "docs")) for p in PAGES if p.is_relative_to(ROOT / "docs")
    )


def test_every_dependency_is_explained():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
        *(each for group in declared["dependency-groups"].values() for each in group),
    ]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for requirement in wanted:
        name = re.split(r"[\[<>=!~ ;]", requirement)[0]
        assert f"| {name} |" in page, f"docs/dependencies.md does not say why {name}"
