"""Asks whether anything that the locks name has a known vulnerability; says so where nobody can be asked.

pip-audit alone passes over what its service does not know, and an index that mirrors another often knows nothing: the
audit would end well without one answer. Here that is a failure, with a status of its own.

Usage: python scripts/audit.py LOCK...   (with the Python of .venv-tools; `make audit`)
Exit status: 0 nothing known, 1 vulnerabilities, listed, 2 not everything could be asked about.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VULNERABLE, UNANSWERED = 1, 2


def main(locks: list[str]) -> int:
    tool = Path(sys.executable).with_name("pip-audit")
    command = [str(tool), "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    with tempfile.TemporaryDirectory() as scratch:
        for lock in locks:  # names and versions alone: with hashes, pip-audit wants them of torch too
            wanted = re.findall(r"^[a-z0-9-]+==[^ \\\n]+", Path(lock).read_text(encoding="utf-8"), re.MULTILINE)
            requirements = Path(scratch, Path(lock).name)
            requirements.write_text("\n".join(wanted) + "\n", encoding="utf-8")
            command += ["--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        message = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        print(f"audit: NOTHING WAS CHECKED; the service of vulnerabilities gave no answer: {message}", file=sys.stderr)
        return UNANSWERED
    vulnerabilities = [(each["name"], each["version"], bad) for each in answers for bad in each.get("vulns", [])]
    for name, version, bad in vulnerabilities:
        fixed = ", ".join(bad["fix_versions"]) or "no version yet"
        print(f"{name} {version}: {bad['id']}, fixed in {fixed}")
    unknown = sorted(each["name"] for each in answers if "skip_reason" in each)
    if unknown:
        some = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
        print(
            f"audit: {len(unknown)} of {len(answers)} packages WERE NOT CHECKED, since the service of vulnerabilities "
            f"does not know them: {some}. An index that mirrors another may have no such service.",
            file=sys.stderr,
        )
    if vulnerabilities:
        return VULNERABLE
    if unknown or not answers:
        return UNANSWERED
    print(f"audit: no known vulnerability in {len(answers)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
