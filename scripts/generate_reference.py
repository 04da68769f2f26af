"""Writes docs/reference/{cli,python,http,errors}.md and openapi.json from the program itself; `--check` only says
whether they are current.

The command line comes from the Typer application, the Python interface from the docstrings of `modiste.__all__`, the
HTTP API from its OpenAPI, the errors from their tree. A test runs the check, so the pages cannot drift.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import modiste
from modiste import errors
from modiste.cli.app import app
from modiste.server import problems
from modiste.server.app import openapi_schema

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/generate_reference.py. Change the program, then run `make reference`. -->"
WIDE = 88
MAX_SHOWN = 12  # values of an enumeration that a table shows


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    api = openapi_schema()
    return {
        "cli.md": cli_page(),
        "python.md": python_page(),
        "http.md": http_page(api),
        "openapi.json": json.dumps(api, indent=1, ensure_ascii=False) + "\n",
        "errors.md": errors_page(),
    }


def tidy(lines: list[str]) -> str:
    """The page: no blank line twice, none at the end."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


# The command line


def cli_page() -> str:
    group: Any = typer.main.get_command(app)
    lines = [NOTE, "", "# The command line", "", plain(group.help), ""]
    lines += [
        "With `--json`, a command prints only JSON on standard output, and errors as JSON on standard error.",
        "Progress goes to standard error. Scripts can use the [exit codes](errors.md).",
        "",
    ]
    commands: dict[str, Any] = group.commands
    lines += [f"- [`modiste {name}`](#modiste-{name}): {summary(each.help)}" for name, each in commands.items()]
    for name, each in commands.items():
        lines += ["", *command_section(name, each)]
    return tidy(lines)


def command_section(name: str, command: Any) -> Iterator[str]:
    """A heading, what the command does, its usage, its examples, and a table of options."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    text, _, examples = inspect.cleandoc(command.help).partition("\n\nExamples:\n")
    yield f"## modiste {name}"
    yield ""
    yield plain(text)
    yield ""
    yield "```console"
    needed = [f"{longest(each)} {value_of(each)}" for each in options if each.required]
    yield " ".join(["$ modiste", name, *(str(each.metavar) for each in arguments), *needed, "[OPTIONS]"])
    yield "```"
    if examples.strip():
        yield ""
        yield "Examples:"
        yield ""
        yield "```console"
        yield from (f"$ {line.strip()}" for line in examples.strip().splitlines())
        yield "```"
    yield ""
    yield "| option | meaning | default |"
    yield "|---|---|---|"
    for each in arguments:
        yield f"| `{each.metavar}` | {cell(each.help)} | required |"
    for each in options:
        names = ", ".join(f"`{opt}`" for opt in each.opts)
        value = value_of(each)
        yield f"| {names}{f' `{cell(value)}`' if value else ''} | {cell(each.help)} | {default_of(each)} |"


def longest(option: Any) -> str:
    return max(option.opts, key=len)


def value_of(option: Any) -> str:
    """The name of an option's value, or its choices."""
    return "" if option.is_flag else option.metavar or "|".join(option.type_descriptor.choices)


def default_of(option: Any) -> str:
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return cell(option.show_default)
    return "" if option.default is None or option.default is False else f"`{option.default}`"


def plain(text: str) -> str:
    """Help without Rich's markup, its paragraphs joined to one line each."""
    return "\n\n".join(" ".join(each.split()) for each in text.replace(r"\[", "[").strip().split("\n\n"))


def summary(text: str) -> str:
    return plain(text).split("\n\n")[0]


def cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


# The Python interface


def python_page() -> str:
    lines = [NOTE, "", "# The Python interface", ""]
    lines += [
        "These are the public names of `import modiste`. Each one is imported at its first use. None of them imports",
        "torch; training does. Codes are float32 `(n,)`, photos uint8 `(h, w, 3)` in RGB, frames `(height, width)`.",
        "[Use Modiste from Python](../how-to/python.md) has examples.",
    ]
    for name in modiste.__all__:
        if not name.startswith("__"):
            lines += ["", *public_name(name)]
    return tidy(lines)


def public_name(name: str) -> Iterator[str]:
    """A heading and what the docstring says; of a class, its public members too."""
    value = getattr(modiste, name)
    node = defined(value)
    yield f"## modiste.{name}"
    yield ""
    if isinstance(node, ast.FunctionDef):
        yield from function(node, f"modiste.{name}")
        return
    assert isinstance(node, ast.ClassDef)
    yield from prose(ast.get_docstring(node))
    yield from fields(node)
    # Members of our base classes come first.
    classes = [each for each in reversed(value.__mro__) if each.__module__.startswith("modiste.")]
    shown: dict[str, ast.FunctionDef] = {}
    for member in (member for each in classes for member in members(defined(each))):
        if not isinstance(member, ast.FunctionDef) or member.name.startswith("_"):
            continue
        if ast.get_docstring(member):
            shown[member.name] = member  # as the last that defines it says
    for member in shown.values():
        yield ""
        yield f"### {name}.{member.name}"
        yield ""
        yield from function(member, f"{name}.{member.name}")


def defined(value: Any) -> ast.stmt:
    """Where a class or a function is defined."""
    module = ast.parse(inspect.getsource(importlib.import_module(value.__module__)))
    return next(each for each in module.body if getattr(each, "name", None) == value.__name__)


def members(node: ast.stmt) -> list[ast.stmt]:
    """What stands in a class."""
    return node.body if isinstance(node, ast.ClassDef) else []


def function(node: ast.FunctionDef, name: str) -> Iterator[str]:
    """A signature, then the docstring; of a property, only its type."""
    decorators = {ast.unparse(each).split(".")[-1] for each in node.decorator_list}
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    yield "```text"
    if decorators & {"property", "cached_property"}:
        yield f"{name}:{result.removeprefix(' ->')}"
    else:
        yield signature(name, node.args, result)
    yield "```"
    yield ""
    yield from prose(ast.get_docstring(node))


def signature(name: str, arguments: ast.arguments, result: str) -> str:
    """On one line where it fits, else one parameter a line."""
    copy = ast.arguments(**{key: getattr(arguments, key) for key in arguments._fields})
    if copy.args and copy.args[0].arg in ("self", "cls"):
        copy.args = copy.args[1:]
    parts: list[str] = []
    missing = len(copy.args) - len(copy.defaults)
    for index, each in enumerate(copy.args):
        parts.append(parameter(each, copy.defaults[index - missing] if index >= missing else None))
    if copy.kwonlyargs:
        parts.append("*")
    for each, default in zip(copy.kwonlyargs, copy.kw_defaults, strict=True):
        parts.append(parameter(each, default))
    whole = f"{name}({', '.join(parts)}){result}"
    if len(whole) <= WIDE:
        return whole
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"


def parameter(each: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(each) + (f" = {ast.unparse(default)}" if default is not None else "")


def fields(node: ast.ClassDef) -> Iterator[str]:
    """The fields of a dataclass."""
    by_name = {
        each.target.id: each
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    shown = [each for name, each in by_name.items() if not name.startswith("_")]
    if shown:
        yield ""
        yield "Fields: " + ", ".join(f"`{ast.unparse(each.target)}: {ast.unparse(each.annotation)}`" for each in shown)


def prose(docstring: str | None) -> Iterator[str]:
    """A docstring as Markdown: what is indented below Args and Raises becomes a list, below Returns a sentence."""
    heading = re.compile(r"(Args|Returns|Raises|Yields):")
    entries: list[str] = []
    section = ""
    for line in [*(docstring or "").splitlines(), ""]:
        match = heading.fullmatch(line)
        if match:
            section = match[1]
            yield f"**{section}**"
            yield ""
        elif not section:
            yield line.rstrip()
        elif line.startswith("    "):
            goes_on = line.startswith("     ") or section in ("Returns", "Yields")
            if goes_on and entries:
                entries[-1] += " " + line.strip()
            else:
                entries.append(line.strip())
        else:
            yield from map(bullet if section in ("Args", "Raises") else str, entries)
            yield line.rstrip()
            entries.clear()
            section = ""


def bullet(entry: str) -> str:
    """One entry of a list, its names as code."""
    name, colon, text = entry.partition(": ")
    named = bool(colon) and re.fullmatch(r"[\w, ]+", name)
    return f"- `{name}`: {text}" if named else f"- {entry}"


# The HTTP API


def http_page(api: dict[str, Any]) -> str:
    lines = [NOTE, "", "# The HTTP API", ""]
    lines += [
        "`modiste serve` has these routes. It shows the same description at `/docs`, and its OpenAPI at",
        "`/openapi.json`, which is also [in this documentation](openapi.json). Every GET route accepts HEAD too. In a",
        "path, percent-encode ids, slashes included. Names are in snake case; a code is a list with one number per",
        "latent. You can [generate a client](../how-to/client.md) from the OpenAPI.",
    ]
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            lines += ["", *operation_section(f"{method.upper()} {path}", operation)]
    lines += ["", "## Schemas", "", "The JSON objects of the requests and responses above.", ""]
    for name, schema in api["components"]["schemas"].items():
        lines += [f"### {name}", "", *field_table(schema), ""]
    return tidy([*lines, *refusals_section()])


def operation_section(heading: str, operation: dict[str, Any]) -> Iterator[str]:
    """A heading, what the operation does, its parameters, its body, what it answers and how it refuses."""
    yield f"## {heading}"
    yield ""
    yield f"`{operation['operationId']}`: {operation['description']}"
    if parameters := operation.get("parameters"):
        yield ""
        yield "| parameter | meaning | default |"
        yield "|---|---|---|"
        for each in parameters:
            default = "required" if each.get("required") else shown_default(each["schema"])
            what = cell(each.get("description", "")) or each["name"].capitalize() + "."
            yield f"| `{each['name']}` {type_of(each['schema'])} | {what} | {default} |"
    if body := operation.get("requestBody"):
        yield ""
        yield "Request body: " + kinds(body["content"]) + "."
    yield ""
    good = [status for status in operation["responses"] if status.startswith("2")]
    for status in good:
        after = "" if status == "200" else f" ({status})"
        yield "Response: " + kinds(operation["responses"][status]["content"]) + after + "."
    refused = [status for status in operation["responses"] if status not in good]
    if refused:
        yield ""
        yield f"Errors: {', '.join(refused)}, see [errors](#errors)."


def kinds(content: dict[str, Any]) -> str:
    """Media types, with their shapes."""
    return ", or ".join(
        f"`{kind}`" + (f" {type_of(each['schema'])}" if "$ref" in each.get("schema", {}) else "")
        for kind, each in content.items()
    )


def field_table(schema: dict[str, Any]) -> Iterator[str]:
    """The fields of an object."""
    yield "| field | meaning | default |"
    yield "|---|---|---|"
    for name, each in schema["properties"].items():
        needed = name in schema.get("required", ())
        default = "" if needed else shown_default(each)
        yield f"| `{name}` {type_of(each)} | {cell(each.get('description', ''))} | {default} |"


def type_of(schema: dict[str, Any]) -> str:
    """A type in words, its shape as a link."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(each) for each in schema["anyOf"]))
    if "enum" in schema:
        values = schema["enum"]
        return (
            f"one of {len(values)} strings" if len(values) > MAX_SHOWN else " or ".join(f"`{each}`" for each in values)
        )
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return "(" + ", ".join(type_of(each) for each in schema["prefixItems"]) + ")"
        return f"list of {type_of(schema['items'])}"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {type_of(values)}" if isinstance(values, dict) and values else "object"
    return str(schema.get("type", "any"))


def shown_default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None or default == "" else f"`{json.dumps(default)}`"


def refusals_section() -> Iterator[str]:
    """Every code with which the API refuses."""
    yield "## Errors"
    yield ""
    yield "An error is `application/problem+json` (RFC 9457), a [Problem](#problem). Its `code` is stable between"
    yield "versions; `detail` says what is wrong with the request, `remedy` says what to do. The enumeration in the"
    yield "OpenAPI also has the codes of the other [error classes](errors.md), which are answered with 500."
    yield ""
    yield "| code | status | when |"
    yield "|---|---|---|"
    for status, (code, when, _) in problems.HTTP_PROBLEMS.items():
        yield f"| `{code}` | {status} | {when} |"
    for code, (status, when) in problems.SERVER_PROBLEMS.items():
        yield f"| `{code}` | {status} | {when} |"
    query_errors = (errors.UsageError, errors.PhotoError, errors.ShopError, errors.StorageError, errors.RayClusterError)
    for _, error in classes():
        if issubclass(error, query_errors):
            yield f"| `{errors.error_code(error)}` | {problems.http_status(error(''))} | {cell(error.__doc__)} |"


# The errors


def errors_page() -> str:
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    lines = [NOTE, "", "# Errors and exit codes", ""]
    lines += [
        "Every error that Modiste raises on purpose is a `modiste.ModisteError`. Its `message` names the input and the",
        "rule, its `remedy` says what to do. The command line prints both, and exits with the class's code. With",
        '`--json` it prints `{"error": {"code": CODE, "message": …, "remedy": …}}` on standard error;',
        "CODE is the class's name in snake case, such as `bad_option`, and the HTTP API uses the same codes.",
        "After any error, the shop stays as it was.",
        "",
        "```text",
        textwrap.dedent(tree),
        "```",
        "",
        "| error | exit code | when |",
        "|---|---|---|",
    ]
    for name, error in classes():
        lines.append(f"| `modiste.errors.{name}` | {error.exit_code} | {cell(error.__doc__)} |")
    lines += ["| Ctrl-C | 130 | The command was interrupted. Run it again; finished work is kept. |"]
    lines += ["", "With `MODISTE_DEBUG=1` in the environment, the command line also shows the stack trace."]
    return tidy(lines)


def classes() -> Iterator[tuple[str, type[errors.ModisteError]]]:
    """Every error in the order of the source."""
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, errors.ModisteError):
            yield name, error


def main() -> int:
    stale: list[str] = []
    for name, text in pages().items():
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and stale:
        print(f"Not current: {', '.join(stale)}. Run `make reference`.", file=sys.stderr)
        return 1
    print(f"Wrote {', '.join(stale)}." if stale else "The reference is current.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
