"""Cost model of a shop with N products: a formula for each quantity, with the constants that constants.py measures.

    python benchmarks/scale/model.py [--constants build/scale-constants.json] [--page docs/cost-model.md]
                                     [--people 10000] [--cores 16] [--memory 64] [--price PER_MACHINE_HOUR]

Prints tables for 10⁷, 10⁸ and 10⁹ products; --page writes them between the marks of the page. Brackets contain the
result of the formula with all constants at their low, and at their high end.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from measurements import write_between

SIZES = (10**7, 10**8, 10**9)
MARK = "scale-model"
GB, HOUR = 1e9, 3600.0
BATCH_BYTES = 512 * 2**20  # photos and attributes in one commit of an ingest: ingest.COMMIT_BYTES
FRAGMENT = 2**20  # rows of a file of Lance's that compaction leaves alone: its own default


@dataclass(frozen=True)
class Constants:
    """The measured constants; constants.py documents how they are measured, and their units."""

    photo_bytes: float
    row_bytes: float
    encoding_bytes: float
    index_bytes: float
    index_disk_bytes: float
    driver_bytes: float
    server_bytes: float
    prepare_ms: float
    encode_ms: float
    commit_row_us: float
    commit_match_us: float
    commit_rewrite_us: float
    encoding_write_us: float
    hash_us: float
    index_build_us: float
    scan_all_ns: float
    scan_million_ms: float
    scan_power: float
    merge_us: float
    frame_ms: float
    similar_ms: float
    thumbnail_ms: float
    nothing_ms: float
    frame_answer_bytes: float
    similar_answer_bytes: float
    thumbnail_answer_bytes: float

    @classmethod
    def read(cls, path: Path, which: str = "value") -> Constants:
        """Read what constants.py wrote; `which` is "value", "low" or "high"."""
        constants: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["constants"]
        return cls(**{each.name: float(constants[each.name][which]) for each in fields(cls)})


@dataclass(frozen=True)
class Machine:
    """A machine: its cores, its bytes of memory, and the usable share of each."""

    cores: int = 16
    memory: float = 64 * 2**30
    filled: float = 0.75  # of the memory
    busy: float = 0.6  # of the cores: what is left takes the bursts, and a machine that is lost


@dataclass(frozen=True)
class Crowd:
    """People at the studio.

    These are assumptions, except for the page's behaviour: it requests a frame when the last one has arrived, and
    similar products and recommendations when a slider has rested for 150 ms.
    """

    people: int = 10_000
    frames_each: float = 30.0  # a second while a hand moves: what benchmarks/studio.py asks of the page at least
    drag: float = 2.0  # seconds that a hand moves a slider
    look: float = 2.0  # seconds that it rests
    questions: float = 2.0  # after each drag
    thumbnails: float = 6.0  # after each drag, that the browser has not seen before

    @property
    def frames(self) -> float:
        """Frames per second: people · frames_each · drag / (drag + look)."""
        return self.people * self.frames_each * self.drag / (self.drag + self.look)

    @property
    def query_rate(self) -> float:
        """Queries per second: people · questions / (drag + look)."""
        return self.people * self.questions / (self.drag + self.look)

    @property
    def pictures(self) -> float:
        """Thumbnails per second: people · thumbnails / (drag + look)."""
        return self.people * self.thumbnails / (self.drag + self.look)


# Storage, in bytes.


def photos(c: Constants, n: float) -> float:
    """Bytes of photos in the store: N · photo_bytes."""
    return n * c.photo_bytes


def words(c: Constants, n: float) -> float:
    """Bytes of ids, categories, hashes and attributes in the store: N · row_bytes."""
    return n * c.row_bytes


def encodings(c: Constants, n: float, versions: int = 2) -> float:
    """Bytes of encodings by one model: N · encoding_bytes · versions. The previous version is kept for an hour."""
    return n * c.encoding_bytes * versions


def index_files(c: Constants, n: float) -> float:
    """Bytes of the index, on each server's disk and on object storage: N · index_disk_bytes."""
    return n * c.index_disk_bytes


# Building, in hours of a core or of the one process that commits.


def prepare_hours(c: Constants, n: float) -> float:
    """Core-hours to read, fit and write N photos, without downloads: N · prepare_ms."""
    return n * c.prepare_ms / 1e3 / HOUR


def encode_hours(c: Constants, n: float) -> float:
    """Core-hours to encode N products: N · encode_ms."""
    return n * c.encode_ms / 1e3 / HOUR


def index_hours(c: Constants, n: float) -> float:
    """Core-hours to build the index: N · index_build_us."""
    return n * c.index_build_us / 1e6 / HOUR


def batch(c: Constants) -> float:
    """Products in one commit of an ingest: 512 MiB / (photo_bytes + row_bytes)."""
    return BATCH_BYTES / (c.photo_bytes + c.row_bytes)


def commit_seconds(c: Constants, there: float) -> float:
    """Seconds of one commit if the store has `there` products.

    batch · commit_row_us for the new products; there · commit_match_us to find the known ids; and for compaction, which
    rewrites the last, incomplete file, min(there, 2²⁰ / 2) · commit_rewrite_us on average.
    """
    rewritten = min(there, FRAGMENT / 2)
    micro = batch(c) * c.commit_row_us + there * c.commit_match_us + rewritten * c.commit_rewrite_us
    return micro / 1e6


def commit_hours(c: Constants, n: float) -> float:
    """Hours of commits of an ingest of N products by the one writer: N / batch commits, one after another.

    The average of `commit_seconds` while the store grows: its terms are linear in `there`, except for the last, which
    is constant beyond 2²⁰ / 2.
    """
    count = max(1.0, n / batch(c))
    middle = commit_seconds(c, n / 2)
    return count * middle / HOUR


def commit_rate(c: Constants, there: float) -> float:
    """Products per second that one writer commits if the store has `there` products: batch / commit_seconds."""
    return batch(c) / commit_seconds(c, there)


def cores_to_fill_the_writer(c: Constants, there: float) -> float:
    """Cores that prepare photos as fast as one writer commits; further cores wait. commit_rate · prepare_ms."""
    return commit_rate(c, there) * c.prepare_ms / 1e3


def encodings_hours(c: Constants, n: float) -> float:
    """Hours in which the one writer hashes the catalogue twice and commits all encodings:
    N · (2 hash_us + encoding_write_us).
    """
    return n * (2 * c.hash_us + c.encoding_write_us) / 1e6 / HOUR


def driver_memory(c: Constants, n: float) -> float:
    """Bytes of memory of the process that ingests: N · driver_bytes."""
    return n * c.driver_bytes


# Search.


def scan_ms(c: Constants, n: float, *, read_all: bool = False) -> float:
    """Core-milliseconds of a query over n products.

    If bounds help: scan_million_ms · (n / 10⁶)^scan_power. Otherwise: n · scan_all_ns.
    """
    return n * c.scan_all_ns / 1e6 if read_all else c.scan_million_ms * (n / 1e6) ** c.scan_power


def index_memory(c: Constants, n: float) -> float:
    """Bytes that a scan reads, and that memory should hold: N · index_bytes."""
    return n * c.index_bytes


def server_memory(c: Constants, n: float) -> float:
    """Bytes of a server with the whole catalogue beside the index: N · server_bytes, for ids and texts in Python."""
    return n * c.server_bytes


def shards(c: Constants, n: float, machine: Machine, slowest_ms: float = 50.0) -> int:
    """Number of shards, so that each fits a machine's memory, and a scan of all products ends within `slowest_ms`.

    The larger of N · (index_bytes + server_bytes) / (memory · filled) and N · scan_all_ns / slowest_ms, rounded up. A
    shard has the ids and texts of its products too.
    """
    by_memory = (index_memory(c, n) + server_memory(c, n)) / (machine.memory * machine.filled)
    by_time = scan_ms(c, n, read_all=True) / slowest_ms
    return max(1, math.ceil(max(by_memory, by_time)))


def search_cores(c: Constants, n: float, parts: int, query_rate: float, machine: Machine, *, read_all: bool) -> float:
    """Cores that scan: query_rate · parts · scan_ms(N / parts) / busy. Each query goes to every shard."""
    return query_rate * parts * scan_ms(c, n / parts, read_all=read_all) / 1e3 / machine.busy


def front_cores(c: Constants, parts: int, query_rate: float, machine: Machine) -> float:
    """Cores that receive queries, send them to the shards and merge.

    query_rate · (similar_ms + parts · (merge_us + nothing_ms)) / busy. A shard's response costs as much as a request
    without work.
    """
    return query_rate * (c.similar_ms + parts * (c.merge_us / 1e3 + c.nothing_ms)) / 1e3 / machine.busy


def frame_cores(c: Constants, crowd: Crowd, machine: Machine) -> float:
    """Cores that draw, thumbnails included: (frames · frame_ms + pictures · thumbnail_ms) / busy, for any N."""
    work = crowd.frames * c.frame_ms + crowd.pictures * c.thumbnail_ms
    return work / 1e3 / machine.busy


def network(c: Constants, crowd: Crowd) -> float:
    """Bytes per second to the visitors: frames, results and thumbnails."""
    answers = crowd.query_rate * c.similar_answer_bytes + crowd.pictures * c.thumbnail_answer_bytes
    return crowd.frames * c.frame_answer_bytes + answers


def inner_network(parts: int, query_rate: float, k: int = 12) -> float:
    """Bytes per second between front and shards: query_rate · parts · (64 of a code + 16 k of rows and scores)."""
    return query_rate * parts * (64 + 16 * k)


# The queue at a shard, by formula; simulate.py holds it against a simulation.


def erlang_c(servers: int, load: float) -> float:
    """Share of arrivals that wait in a queue M/M/c: `load` is arrivals · service time, below `servers`."""
    term, total = 1.0, 1.0
    for k in range(1, servers):
        term *= load / k
        total += term
    last = term * load / servers * servers / (servers - load)
    return last / (total + last)


def wait_beyond(servers: int, arrivals: float, mean: float, variation: float, seconds: Any) -> Any:
    """Share of arrivals that wait longer than `seconds` (a number or an array), in a queue M/G/c.

    Approximation by Allen and Cunneen. `mean` is the service time in seconds, `variation` its variance divided by its
    squared mean: P(wait) · exp(−(c/mean − arrivals) · 2 / (1 + variation) · seconds).
    """
    load = arrivals * mean
    if load >= servers:
        return np.ones_like(seconds)
    rate = (servers / mean - arrivals) * 2.0 / (1.0 + variation)
    return erlang_c(servers, load) * np.exp(-rate * seconds)


def mean_wait(servers: int, arrivals: float, mean: float, variation: float) -> float:
    """Mean wait in seconds, M/G/c: that of M/M/c by Erlang · (1 + variation) / 2; exact for one server."""
    return erlang_c(servers, arrivals * mean) / (servers / mean - arrivals) * (1.0 + variation) / 2.0


def scatter_quantile(times: Any, waits: Callable[[Any], Any], parts: int, share: float) -> float:
    """Seconds within which a `share` of queries have the results of all shards, if the shards are independent.

    times: service times in seconds, equally likely; waits: the share of arrivals that wait longer than some seconds.
    The distribution of one shard, wait and service added, to the power of `parts`.
    """

    seconds_of_scans = np.asarray(times, np.float64)

    def answered(seconds: float) -> float:
        left = seconds - seconds_of_scans[seconds_of_scans <= seconds]
        return float(((1.0 - waits(left)).sum() / len(seconds_of_scans)) ** parts)

    low, high = 0.0, float(seconds_of_scans.max())
    while answered(high) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if answered(middle) >= share else (middle, high)
    return high


# Tables.

Row = tuple[str, Callable[[Constants, int], float], str]


def rows(machine: Machine, crowd: Crowd) -> dict[str, list[Row]]:
    """Rows of each table: name, formula and unit."""

    def parts(c: Constants, n: int) -> int:
        return shards(c, n, machine)

    def cores(c: Constants, n: int, read_all: bool = False) -> float:
        return search_cores(c, n, parts(c, n), crowd.query_rate, machine, read_all=read_all)

    def machines(c: Constants, n: int) -> float:
        every = cores(c, n) + front_cores(c, parts(c, n), crowd.query_rate, machine) + frame_cores(c, crowd, machine)
        return math.ceil(every / machine.cores) + parts(c, n)

    return {
        "Storage": [
            ("photos", lambda c, n: photos(c, n) / GB, "GB"),
            ("ids, categories, hashes and attributes", lambda c, n: words(c, n) / GB, "GB"),
            ("encodings of the current and the previous version", lambda c, n: encodings(c, n) / GB, "GB"),
            ("index", lambda c, n: index_files(c, n) / GB, "GB"),
        ],
        "Build": [
            ("preparation of the photos", prepare_hours, "core-hours"),
            ("commits of the photos, by the one writer", commit_hours, "hours"),
            ("cores that prepare photos as fast as the writer commits them", cores_to_fill_the_writer, "cores"),
            ("memory of the writer", lambda c, n: driver_memory(c, n) / GB, "GB"),
            ("encoding of the products", encode_hours, "core-hours"),
            ("hashes and commits of the encodings, by the one writer", encodings_hours, "hours"),
            ("creation of the index", index_hours, "core-hours"),
        ],
        "Search": [
            ("index in memory", lambda c, n: index_memory(c, n) / GB, "GB"),
            ("ids and attributes in the memory of one studio server", lambda c, n: server_memory(c, n) / GB, "GB"),
            ("number of shards", parts, "shards"),
            ("search in one index on one core, if bounds help", scan_ms, "ms"),
            ("search in one index on one core, if bounds do not help", lambda c, n: scan_ms(c, n, read_all=True), "ms"),
            ("search in one shard on one core, if bounds help", lambda c, n: scan_ms(c, n / parts(c, n)), "ms"),
            (f"cores of the shards for {crowd.people:,} people, if bounds help", cores, "cores"),
            (
                f"cores of the shards for {crowd.people:,} people, if bounds do not help",
                lambda c, n: cores(c, n, True),
                "cores",
            ),
            (
                "cores of the shard servers",
                lambda c, n: front_cores(c, parts(c, n), crowd.query_rate, machine),
                "cores",
            ),
            (
                "traffic between the shard servers and the shards",
                lambda c, n: inner_network(parts(c, n), crowd.query_rate) / GB * 8,
                "Gbit/s",
            ),
        ],
        f"Serve {crowd.people:,} people who drag sliders": [
            ("frames", lambda _, __: crowd.frames, "per second"),
            ("queries", lambda _, __: crowd.query_rate, "per second"),
            ("cores that draw frames and send small photos", lambda c, _: frame_cores(c, crowd, machine), "cores"),
            ("traffic to the visitors", lambda c, _: network(c, crowd) / GB * 8, "Gbit/s"),
            (f"machines of {machine.cores} cores, including one spare machine per shard", machines, "machines"),
        ],
    }


def money(c: Constants, n: int, machine: Machine, crowd: Crowd, price: float) -> tuple[float, float]:
    """Costs of one build, and of a month of serving, at a price per machine-hour: the machines' hours · price."""
    work = prepare_hours(c, n) + encode_hours(c, n) + index_hours(c, n)
    built = work / machine.cores + commit_hours(c, n) + encodings_hours(c, n)
    ((_, machines, _),) = rows(machine, crowd)[f"Serve {crowd.people:,} people who drag sliders"][-1:]
    return price * built, price * 730 * machines(c, n)


def figure(value: float) -> str:
    """Format a number with three significant digits; whole numbers completely."""
    if value == round(value) and abs(value) < 1000:
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}"


def tables(ends: list[Constants], machine: Machine, crowd: Crowd) -> str:
    """Return all tables as Markdown, with the constants at their value, low and high end."""
    lines: list[str] = []
    for title, each in rows(machine, crowd).items():
        lines += [f"| {title} | 10⁷ products | 10⁸ products | 10⁹ products | unit |", "|---|---|---|---|---|"]
        for name, formula, unit in each:
            cells: list[str] = []
            for n in SIZES:
                every = [formula(c, n) for c in ends]
                middle, low, high = every[0], min(every), max(every)
                spread = "" if figure(low) == figure(high) else f" ({figure(low)} to {figure(high)})"
                cells.append(figure(middle) + spread)
            lines.append(f"| {name} | {' | '.join(cells)} | {unit} |")
        lines.append("")
    return "\n".join(lines)


def measured(path: Path) -> str:
    """Return the constants that the formulas use, as a table."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    about = whole["about"]
    lines = [
        f"The constants were measured on this machine: {about['machine']}. The measurement took "
        f"{about['minutes']:.0f} minutes. The photos were {about['photos']}.",
        "",
        "| constant | value | lowest to highest value | unit | what was measured |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(each.name for each in fields(Constants)):
        c = whole["constants"][name]
        extremes = f"{figure(c['low'])} to {figure(c['high'])}"
        lines.append(f"| `{name}` | {figure(c['value'])} | {extremes} | {c['unit']} | {c['how']} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables; write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--constants", type=Path, default=Path("build/scale-constants.json"))
    parser.add_argument("--people", type=int, default=Crowd.people)
    parser.add_argument("--cores", type=int, default=Machine.cores)
    parser.add_argument("--memory", type=float, default=Machine.memory / 2**30, help="GiB of a machine")
    parser.add_argument("--price", type=float, help="of a machine for an hour, in any currency")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    machine = Machine(args.cores, args.memory * 2**30)
    crowd = Crowd(args.people)
    ends = [Constants.read(args.constants, which) for which in ("value", "low", "high")]
    text = tables(ends, machine, crowd)
    print(text)
    for n in SIZES if args.price is not None else ():
        built, month = money(ends[0], n, machine, crowd, args.price)
        print(f"{n:13,} products: to build {built:,.0f}, a month {month:,.0f}")
    if args.page is not None:
        write_between(args.page, MARK, f"{text}\n\n{measured(args.constants)}")


if __name__ == "__main__":
    main()
