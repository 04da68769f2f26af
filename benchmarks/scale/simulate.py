"""Simulate the search tier by discrete events (SimPy), and compare it with the model's formulas.

    python benchmarks/scale/simulate.py [--constants build/scale-constants.json] [--target 0.15] [--seed 0] [--quick]
                                        [--page docs/cost-model.md]

A query arrives at a front, which sends it to one replica of every shard, waits for the slowest, and merges. A replica
scans on its cores, first come, first served. The replica is the less loaded of two drawn at random, as in Ray Serve.
Service times are those that constants.py measured, scaled to the shard's size. The front's own work is a delay.

A tier for ten thousand people has hundreds of replicas. The simulation covers a part of it: all shards, with fewer
replicas and fewer people in the same ratio. A larger pool waits less, never more.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from measurements import write_between
from model import SIZES, Constants, Crowd, Machine, figure, scan_ms, scatter_quantile, shards, wait_beyond

MARK = "scale-simulation"
CORES = 4  # of a replica
RESTART = 60.0  # seconds until a replica that was killed is there again: a machine, its copies, its kernels
NOTICED = 0.05  # seconds until a front hears that a replica has gone and asks another


@dataclass(frozen=True)
class Tier:
    """A tier of `shards` x `replicas`, each with `cores`.

    `times` are service times in seconds, drawn at random; `front` is the delay of a query outside the shards, in
    seconds; `choices` is the number of replicas that are compared before one is chosen.
    """

    shards: int
    replicas: int
    times: Sequence[float]
    cores: int = CORES
    front: float = 0.0
    choices: int = 2


@dataclass(frozen=True)
class Kill:
    """Failure of a replica: it ends at a second, and is back after `restart` seconds."""

    at: float
    shard: int = 0
    restart: float = RESTART


@dataclass
class Seen:
    """Result of a simulation, in seconds: each query's arrival and duration, and the waiting time of each part."""

    came: list[float] = field(default_factory=list[float])
    took: list[float] = field(default_factory=list[float])
    waited: list[float] = field(default_factory=list[float])
    retried_parts: int = 0

    def quantile(self, share: float, since: float = 0.0, until: float = np.inf) -> float:
        """Return the seconds within which a share of the queries that arrived in a span were answered."""
        came = np.array(self.came)
        return float(np.quantile(np.array(self.took)[(came >= since) & (came < until)], share))


class Replica:
    """Some cores with one queue. If it goes down, its running and waiting parts go to another replica."""

    def __init__(self, env: simpy.Environment, cores: int) -> None:
        self.env, self.cores = env, cores
        self.up = True
        self.busy = 0
        self.queue: deque[tuple[simpy.Event, float, float]] = deque()
        self.here: set[simpy.Event] = set()

    @property
    def load(self) -> int:
        """Running and waiting parts."""
        return self.busy + len(self.queue)

    def ask(self, service: float) -> simpy.Event:
        """Return an event whose value is how long the part waited; None if the replica went down before its end."""
        done = self.env.event()
        self.here.add(done)
        self.queue.append((done, service, self.env.now))
        self._next()
        return done

    def _next(self) -> None:
        while self.up and self.busy < self.cores and self.queue:
            done, service, came = self.queue.popleft()
            self.busy += 1
            end = self.env.timeout(service, value=self.env.now - came)
            end.callbacks.append(partial(self._ended, done))

    def _ended(self, done: simpy.Event, end: simpy.Event) -> None:
        if done in self.here:  # else it went down meanwhile
            self.here.remove(done)
            self.busy -= 1
            done.succeed(end.value)
            self._next()

    def down(self) -> None:
        """Lose all running and waiting parts."""
        self.up, self.busy = False, 0
        self.queue.clear()
        lost, self.here = self.here, set()
        for done in lost:
            done.succeed(None)

    def back(self) -> None:
        """Serve again."""
        self.up = True


def run(tier: Tier, rate: float, questions: int, seed: int, kill: Kill | None = None) -> Seen:
    """Simulate some queries, `rate` per second, at random moments; the same for the same seed."""
    dice = random.Random(seed)
    env = simpy.Environment()
    replicas = [[Replica(env, tier.cores) for _ in range(tier.replicas)] for _ in range(tier.shards)]
    seen = Seen()

    def chosen(shard: int) -> Replica | None:
        there = [each for each in replicas[shard] if each.up]
        looked = dice.sample(there, min(tier.choices, len(there)))
        return min(looked, key=lambda each: each.load, default=None)

    def part(shard: int) -> Generator[simpy.Event, Any, None]:
        service = dice.choice(tier.times)
        while True:
            replica = chosen(shard)
            waited = None if replica is None else (yield replica.ask(service))
            if waited is not None:
                seen.waited.append(waited)
                return
            seen.retried_parts += 1
            yield env.timeout(NOTICED)

    def question() -> Generator[simpy.Event, Any, None]:
        came = env.now
        yield env.all_of([env.process(part(shard)) for shard in range(tier.shards)])
        seen.came.append(came)
        seen.took.append(env.now - came + tier.front)

    def arrivals() -> Generator[simpy.Event, Any, None]:
        for _ in range(questions):
            env.process(question())
            yield env.timeout(dice.expovariate(rate))

    def killing(kill: Kill) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(kill.at)
        gone = replicas[kill.shard][0]
        gone.down()
        yield env.timeout(kill.restart)
        gone.back()

    env.process(arrivals())
    if kill is not None:
        env.process(killing(kill))
    env.run()
    return seen


def by_formula(tier: Tier, rate: float, share: float) -> float:
    """Return the model's prediction: seconds within which a share of the queries are answered.

    Each shard's replicas are one pool of cores with one queue, and the shards are independent.
    """
    times = np.array(tier.times)
    mean, variation = float(times.mean()), float(times.var() / times.mean() ** 2)
    servers = tier.replicas * tier.cores
    waits = partial(wait_beyond, servers, rate, mean, variation)
    return scatter_quantile(times, waits, tier.shards, share) + tier.front


def replicas_for(tier: Tier, rate: float, target: float, questions: int, seed: int) -> tuple[int, float]:
    """Return the minimum number of replicas of each shard for a p99 of at most `target` seconds, and that p99."""
    mean = float(np.mean(tier.times))
    count = max(1, int(np.ceil(rate * mean / tier.cores)))
    while True:
        some = replace(tier, replicas=count)
        if rate * mean < count * tier.cores:
            met = run(some, rate, questions, seed).quantile(0.99)
            if met <= target or count > 1000:
                return count, met
        count += 1


def tier_of(c: Constants, samples: Sequence[float], n: int, parts: int, *, read_all: bool) -> Tier:
    """Return a tier with service times of the measured spread, and the model's mean for the shard's size."""
    mean = scan_ms(c, n / parts, read_all=read_all) / 1e3
    spread = np.array(samples) / np.mean(samples)
    times = np.full(1, mean) if read_all else mean * spread
    return Tier(parts, 4, times.tolist(), front=(c.similar_ms + parts * (c.merge_us / 1e3 + c.nothing_ms)) / 1e3)


def _questions(parts: int, quick: bool) -> int:
    """Return the number of simulated queries: fewer if each has many parts, but enough for a 99th percentile."""
    return max(400, 20_000 // parts) if quick else max(1_500, 100_000 // parts)


def compared(c: Constants, samples: Sequence[float], machine: Machine, quick: bool, seed: int) -> str:
    """Compare utilisation and quantiles of simulation and formula, at three sizes and three loads."""
    lines = [
        "| products | shards | planned load | simulated load | median, ms: formula / simulation (difference) "
        "| p99, ms: formula / simulation (difference) |",
        "|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        parts = shards(c, n, machine)
        tier = tier_of(c, samples, n, parts, read_all=False)
        for busy in (0.5, 0.7, 0.9):
            mean = float(np.mean(tier.times))
            rate = busy * tier.replicas * tier.cores / mean
            seen = run(tier, rate, _questions(parts, quick), seed)
            work = parts * len(seen.took) * mean
            span = max(seen.came) + 1e-9
            used = work / (span * parts * tier.replicas * tier.cores)
            cells = [
                f"{1e3 * by_formula(tier, rate, share):,.1f} / {1e3 * seen.quantile(share):,.1f} "
                f"({seen.quantile(share) / by_formula(tier, rate, share) - 1:+.0%})"
                for share in (0.5, 0.99)
            ]
            lines.append(f"| {n:,} | {parts} | {busy} | {used:.2f} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def scattered(c: Constants, samples: Sequence[float], quick: bool, seed: int) -> str:
    """Show how the tail grows with the number of shards, because the slowest shard decides."""
    lines = [
        "| shards | p99 of one shard, ms: formula | p99 of the query, ms: formula | p99 of the query, ms: simulation "
        "| simulation / formula |",
        "|---|---|---|---|---|",
    ]
    for parts in (1, 4, 16, 64):
        tier = tier_of(c, samples, parts * 10**7, parts, read_all=False)
        rate = 0.7 * tier.replicas * tier.cores / float(np.mean(tier.times))
        seen = run(tier, rate, _questions(parts, quick), seed)
        alone = by_formula(Tier(1, tier.replicas, tier.times), rate, 0.99)
        predicted, simulated = by_formula(tier, rate, 0.99), seen.quantile(0.99)
        lines.append(
            f"| {parts} | {1e3 * alone:,.1f} | {1e3 * predicted:,.1f} | {1e3 * simulated:,.1f} "
            f"| {simulated / predicted:.2f} |"
        )
    return "\n".join(lines)


def wanted(c: Constants, samples: Sequence[float], machine: Machine, target: float, quick: bool, seed: int) -> str:
    """Find the replicas of each shard that are enough for a tenth of the crowd; kill one, with and without a spare."""
    lines = [
        f"| products | shards | queries/s | replicas per shard for a p99 of at most {1e3 * target:.0f} ms | p99, ms "
        "| p99 while one replica is down, ms | p99 with one additional replica, while one is down, ms "
        "| requests that were sent again | answered queries |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rate = Crowd().query_rate / 10
    for n in SIZES:
        parts = shards(c, n, machine)
        tier = tier_of(c, samples, n, parts, read_all=False)
        questions = _questions(parts, quick)
        count, met = replicas_for(tier, rate, target, questions, seed)
        span = questions / rate
        kill = Kill(span / 4, restart=span / 2)
        left: list[str] = []
        again = answered = 0
        for more in (0, 1):
            seen = run(replace(tier, replicas=count + more), rate, questions, seed, kill)
            left.append(f"{1e3 * seen.quantile(0.99, kill.at, kill.at + kill.restart):,.1f}")
            again += seen.retried_parts
            answered += len(seen.took)
        lines.append(
            f"| {n:,} | {parts} | {rate:,.0f} | {count} | {1e3 * met:,.1f} | {left[0]} | {left[1]} "
            f"| {again} | {answered:,} of {2 * questions:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Simulate and print; write into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--constants", type=Path, default=Path("build/scale-constants.json"))
    parser.add_argument("--target", type=float, default=0.15, help="seconds: the 99th percentile to reach")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="fewer questions")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    c, machine = Constants.read(args.constants), Machine()
    samples: list[float] = json.loads(args.constants.read_text(encoding="utf-8"))["samples"]["scan_ms"]
    times = np.array(samples)
    introduction = (
        f"The standard deviation of the {len(times)} measured search times is "
        f"{figure(float(times.std() / times.mean()))} of their mean. In the first two tables, each shard has four "
        f"replicas with {CORES} cores. The simulation sent {_questions(1, args.quick):,} queries to one shard, and "
        f"fewer queries to more shards, but at least {_questions(10**6, args.quick):,}. The random seed was "
        f"{args.seed}."
    )
    parts = [
        introduction,
        compared(c, samples, machine, args.quick, args.seed),
        scattered(c, samples, args.quick, args.seed),
        wanted(c, samples, machine, args.target, args.quick, args.seed),
    ]
    print("\n\n".join(parts))
    if args.page is not None:
        write_between(args.page, MARK, "\n\n".join(parts))


if __name__ == "__main__":
    main()
