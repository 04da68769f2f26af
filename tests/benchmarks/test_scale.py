"""The model of scale and its simulation agree with the exact results of queueing theory."""

from __future__ import annotations

import math
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "scale"))

import model
from measurements import write_between
from model import Constants, Crowd, Machine
from simulate import Kill, Tier, by_formula, replicas_for, run

ONES = Constants(**{each.name: 1.0 for each in fields(Constants)})
MEAN = 0.01
# As many exponential service times as make their own mean and variance near those of the distribution.
EXPONENTIAL = [-MEAN * math.log((i + 0.5) / 2000) for i in range(2000)]


def mean_wait_seconds(times: list[float], load: float, servers: int = 1) -> float:
    """Return the mean wait at one shard with one replica, in seconds."""
    tier = Tier(1, 1, times, cores=servers, choices=1)
    rate = load * servers / float(np.mean(times))
    return float(np.mean(run(tier, rate, 30_000, seed=1).waited))


@pytest.mark.parametrize("load", [0.5, 0.7])
def test_one_server_with_exponential_times_is_mm1(load: float):
    mean = float(np.mean(EXPONENTIAL))
    assert mean_wait_seconds(EXPONENTIAL, load) == pytest.approx(load / (1 - load) * mean, rel=0.1)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_one_server_with_constant_times_is_md1(load: float):
    assert mean_wait_seconds([MEAN], load) == pytest.approx(load / (1 - load) * MEAN / 2, rel=0.1)


def test_four_servers_follow_erlang_c():
    mean = float(np.mean(EXPONENTIAL))
    rate = 0.8 * 4 / mean
    assert mean_wait_seconds(EXPONENTIAL, 0.8, servers=4) == pytest.approx(
        model.mean_wait(4, rate, mean, 1.0), rel=0.12
    )


def test_erlang_c_known_values():
    assert model.erlang_c(1, 0.7) == pytest.approx(0.7)
    assert model.erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert model.wait_beyond(1, 70.0, MEAN, 1.0, 0.02) == pytest.approx(0.7 * math.exp(-30 * 0.02))
    assert model.wait_beyond(1, 200.0, MEAN, 1.0, 5.0) == 1.0  # more comes than it can do


def test_quantiles_of_one_shard_follow_the_formula_within_a_tenth():
    tier = Tier(1, 1, EXPONENTIAL, cores=4)
    rate = 0.7 * 4 / MEAN
    seen = run(tier, rate, 20_000, seed=2)
    for share in (0.5, 0.99):
        assert seen.quantile(share) == pytest.approx(by_formula(tier, rate, share), rel=0.1)


def test_without_queues_the_slowest_shard_follows_the_formula():
    tier = Tier(16, 1, EXPONENTIAL, cores=400)
    seen = run(tier, 20.0, 1_000, seed=3)
    assert seen.quantile(0.5) == pytest.approx(by_formula(tier, 20.0, 0.5), rel=0.05)
    # Of sixteen exponential times the median of the largest: −mean · ln(1 − 2^(−1/16)).
    assert by_formula(tier, 20.0, 0.5) == pytest.approx(-MEAN * math.log(1 - 0.5 ** (1 / 16)), rel=0.05)


def test_correlated_shards_stay_below_the_formula():
    tier = Tier(32, 1, [MEAN], cores=1)
    rate = 0.8 / MEAN
    assert run(tier, rate, 3_000, seed=4).quantile(0.99) < 0.8 * by_formula(tier, rate, 0.99)


def test_killed_replica_loses_no_answer():
    tier = Tier(2, 3, [MEAN], cores=1)
    kill = Kill(at=5.0, restart=5.0)
    seen = run(tier, 200.0, 3_000, seed=6, kill=kill)
    assert len(seen.took) == 3_000
    assert seen.retried_parts > 0
    assert seen.quantile(0.99, 5.0, 10.0) > seen.quantile(0.99, 0.0, 5.0)


def test_queries_wait_for_a_lost_shard():
    seen = run(Tier(1, 1, [MEAN], cores=4), 50.0, 500, seed=6, kill=Kill(at=2.0, restart=3.0))
    assert len(seen.took) == 500
    assert 2.9 < max(seen.took) < 3.7  # then what has gathered is worked off


def test_replicas_for_returns_the_fewest_and_is_reproducible():
    tier, rate = Tier(4, 1, [MEAN], cores=1), 250.0
    count, met = replicas_for(tier, rate, 0.03, 4_000, seed=7)
    assert met <= 0.03
    assert count >= 3
    assert run(replace(tier, replicas=count - 1), rate, 4_000, seed=7).quantile(0.99) > 0.03
    assert replicas_for(tier, rate, 0.03, 4_000, seed=7) == (count, met)


def test_costs_grow_with_the_number_of_products():
    machine, crowd = Machine(), Crowd()
    for formula in (model.photos, model.prepare_hours, model.encode_hours, model.driver_memory):
        assert formula(ONES, 10**8) == pytest.approx(10 * formula(ONES, 10**7))
    c = replace(ONES, scan_power=0.5)
    assert model.scan_ms(c, 10**8) == pytest.approx(10.0)
    assert model.scan_ms(c, 10**8, read_all=True) == pytest.approx(100.0)
    # Cutting an index that skips most into shards costs cores: ten of them √10 times.
    whole, cut = (model.search_cores(c, 10**8, parts, 1.0, machine, read_all=False) for parts in (1, 10))
    assert cut == pytest.approx(whole * math.sqrt(10))
    assert crowd.frames == pytest.approx(150_000)
    assert crowd.query_rate == pytest.approx(5_000)
    assert model.frame_cores(ONES, crowd, machine) == pytest.approx((150_000 + 15_000) / 1e3 / 0.6)


def test_writer_slows_down_as_the_store_grows():
    c = replace(ONES, photo_bytes=5000.0, row_bytes=300.0, commit_match_us=0.05, commit_rewrite_us=2.0)
    assert model.commit_rate(c, 10**9) < model.commit_rate(c, 10**6) < model.commit_rate(c, 0)
    # By the sum over all commits, what `commit_hours` says of its middle.
    size = model.batch(c)
    steps = [model.commit_seconds(c, size * i) for i in range(int(10**8 / size))]
    assert model.commit_hours(c, 10**8) == pytest.approx(sum(steps) / 3600, rel=0.02)


def test_shards_fit_their_machines_and_finish_in_time():
    machine = Machine(cores=4, memory=16 * 2**30)
    c = replace(ONES, index_bytes=140.0, server_bytes=600.0, scan_all_ns=5.0)
    for n in model.SIZES:
        parts = model.shards(c, n, machine)
        assert n / parts * 740 <= machine.memory * machine.filled
        assert model.scan_ms(c, n / parts, read_all=True) <= 50.0
        smaller = parts - 1
        assert smaller == 0 or (
            n / smaller * 740 > machine.memory * machine.filled or model.scan_ms(c, n / smaller, read_all=True) > 50.0
        )


def test_tables_have_every_size_and_three_significant_digits(tmp_path: Path):
    c = replace(ONES, scan_power=0.5)
    text = model.tables([c, c, c], Machine(), Crowd())
    assert text.count("| 10⁷ products | 10⁸ products | 10⁹ products | unit |") == 4
    assert [model.figure(each) for each in (0, 0.01234, 1.5, 123.4, 98765.0)] == [
        "0",
        "0.0123",
        "1.50",
        "123",
        "98,800",
    ]
    page = tmp_path / "page.md"
    page.write_text("before <!-- model:begin --> old <!-- model:end --> after", encoding="utf-8")
    write_between(page, "model", text)
    written = page.read_text(encoding="utf-8")
    assert "old" not in written
    assert written.startswith("before ")
    assert written.endswith(" after")
