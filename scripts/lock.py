"""Writes requirements/*.lock: exact versions of all that gets installed, with the hash of every wheel on the index.

One file for what answering needs (`run`), one for what each extra adds to that, one for what builds the package and one
for the tools that `make` runs beside it. Versions stay as they are where they still fit; `--upgrade` takes the newest.
They are found with uv, for Linux, macOS and Windows and every Python at once, on the index that pip is set to;
installing needs pip only. `torch.txt` is the exception, and says why.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "requirements"
OLDEST = "3.11.5"  # the oldest Python to lock for: tools for the documentation want this patch of 3.11
EXTRAS = ("train", "hub", "scale", "dev", "bench")
# torch, and what the builds of it for CUDA bring: which of these there are is a matter of the index and the machine.
UNLOCKED = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
BROWSER = "sys_platform == 'emscripten'"  # Python in a browser, where Modiste does not run
ENTRY = re.compile(r"^([a-z0-9-]+)==([^ \n]+)(?:\\\n|[^\n])*\n", re.MULTILINE)

TORCH = """\
# The one package without hashes, since its builds differ by machine and index, and one may choose among them.
# Those for CUDA bring others along, as torch names them: triton, nvidia-* and cuda-*. What every build needs has its
# hashes in train.lock: install that first, and pip takes nothing but these from here.
torch=={version}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    LOCKS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        write_all(Path(scratch), upgrade=parser.parse_args().upgrade)


def write_all(scratch: Path, *, upgrade: bool) -> None:
    """Find the versions of everything together, then what of it belongs to each file."""
    known = "" if upgrade else "".join(path.read_text(encoding="utf-8") for path in LOCKS.glob("*.lock"))
    every = [word for extra in EXTRAS for word in ("--extra", extra)]
    together = resolve(scratch / "together.txt", ["pyproject.toml", "--group", "build", *every], known=known)
    versions = ["--constraints", str(scratch / "together.txt")]
    run = resolve(scratch / "run.txt", ["pyproject.toml", *versions])
    write("run", "answering needs", run)
    for extra in EXTRAS:
        wanted = resolve(scratch / f"{extra}.txt", ["pyproject.toml", "--extra", extra, *versions])
        added = {name: entry for name, entry in wanted.items() if name not in run}
        write(extra, f"the extra {extra} adds to run.lock", added)
    write("build", "builds the package", resolve(scratch / "build.txt", ["--group", "build", *versions]))
    tools = resolve(scratch / "tools.txt", ["--group", "tools"], known=known)
    write("tools", "`make` runs beside the package, in .venv-tools", tools)
    version = re.match(r"[^ ;\\]+", together["torch"].partition("==")[2])
    assert version is not None
    (LOCKS / "torch.txt").write_text(TORCH.format(version=version[0]), encoding="utf-8")


def resolve(out: Path, arguments: list[str], known: str = "") -> dict[str, str]:
    """What uv finds for a set of requirements, written to `out`: the text of each package by its name.

    known: locks whose versions are kept where they fit.
    """
    if known:
        out.write_text(known, encoding="utf-8")
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--fork-strategy", "fewest"]
    command += ["--python-version", OLDEST, "--generate-hashes"]
    command += ["--no-header", "--no-annotate", *arguments, "--output-file", str(out)]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True)
    return {match[1]: match[0] for match in ENTRY.finditer(out.read_text(encoding="utf-8"))}


def environment() -> dict[str, str]:
    """uv beside this Python, and the index that pip is set to, if it is set to one. No second index: names there
    could be anybody's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    match = re.search(r"^\S+\.index-url='(.+)'$", settings, re.MULTILINE)
    return {**os.environ, "PATH": path} | ({"UV_DEFAULT_INDEX": match[1]} if match else {})


def write(name: str, what: str, entries: dict[str, str]) -> None:
    ours = {each: entry for each, entry in entries.items() if BROWSER not in entry}
    lock_entries = [entry for each, entry in sorted(ours.items()) if not UNLOCKED.fullmatch(each)]
    head = f"# What {what}. Written by `make lock`.\n--only-binary :all:\n"
    text = head + "".join(lock_entries)
    if "://" in text:
        sys.exit(f"lock: {name}.lock would be bound to one host or machine; it was left as it was")
    (LOCKS / f"{name}.lock").write_text(text, encoding="utf-8")
    print(f"requirements/{name}.lock: {len(lock_entries)} packages")


if __name__ == "__main__":
    main()
