"""From measured cycles to results: ratios of libws to a peer, held against the bar."""

import math
import statistics
from dataclasses import asdict, dataclass

from .rows import IDLE_BAR, Bar

# A bar holds when the median reaches it and the worse quartile misses it by 3 % at most.
SLACK = 0.03


@dataclass
class Ratio:
    """libws divided by a peer, cycle by cycle."""

    median: float
    low: float
    high: float
    least: float
    most: float

    @staticmethod
    def of(ours, theirs):
        """None where a side has no figures.

        Reversing the order means that who was last is first in the next cycle, with warm caches. Two cycles together
        treat both alike, so they make one ratio.
        """
        cycles = [a / b if a and b else None for a, b in zip(ours, theirs)]
        ratios = sorted(math.sqrt(a * b) for a, b in zip(cycles[::2], cycles[1::2]) if a and b)
        if not ratios:
            return None
        quarter = len(ratios) // 4
        return Ratio(
            statistics.median(ratios), ratios[quarter], ratios[-1 - quarter], ratios[0], ratios[-1]
        )

    def at_least(self, bar):
        return self.median >= bar and self.low >= bar * (1 - SLACK)

    def at_most(self, bar):
        return self.median <= bar and self.high <= bar * (1 + SLACK)

    def text(self, extremes=True):
        text = f"{self.median:.2f} [{self.low:.2f}-{self.high:.2f}]"
        return f"{text} ({self.least:.2f}-{self.most:.2f})" if extremes else text


@dataclass
class Result:
    """One line of the table: libws beside one peer in one row."""

    row: str
    title: str
    peer: str
    ours: str
    theirs: str
    throughput: Ratio = None
    cpu: Ratio = None
    bar: str = ""
    met: bool = None

    def as_json(self):
        return asdict(self)


def results_of(measured, peers, yardstick):
    """The results of a row, one for each peer that took part."""
    names = [peer.name for peer in peers if peer.name != "libws" and peer.name in measured.lines]
    if "libws" not in measured.lines:
        return []
    make = {"idle": _idle, "latency": _latency}.get(measured.row.mode, _rate)
    results = []
    for name in names:
        bar = measured.row.bars.get("yardstick" if name == yardstick else name, Bar())
        results += make(measured, name, bar)
    if measured.row.mode == "idle":
        results.insert(0, _idle_bar(measured))
    return results


def _rate(measured, name, bar):
    throughput = Ratio.of(measured.values("libws", "rate"), measured.values(name, "rate"))
    cpu = Ratio.of(measured.values("libws", "server_us"), measured.values(name, "server_us"))
    if throughput is None or cpu is None:
        return []
    parts, met = [], []
    if bar.throughput:
        parts.append(f"≥ {bar.throughput:g}")
        met.append(throughput.at_least(bar.throughput))
    if bar.cpu:
        parts.append(f"CPU ≤ {bar.cpu:g}")
        met.append(cpu.at_most(bar.cpu))
    ours, theirs = _figures(measured, "libws"), _figures(measured, name)
    title = measured.row.title
    return [
        Result(measured.row.name, title, name, ours, theirs, throughput, cpu, ", ".join(parts), all(met) if met else None)
    ]


def _figures(measured, name):
    text = f"{measured.median(name, 'rate'):,.0f}/s, {measured.median(name, 'server_us'):.2f} us"
    reply = measured.median(name, "reply_bytes")
    return f"{text}, {reply:.0f} B" if reply else text


def _latency(measured, name, bar):
    results = []
    for key, title in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")):
        ratio = Ratio.of(measured.values(name, key), measured.values("libws", key))
        cpu = Ratio.of(measured.values("libws", "server_us"), measured.values(name, "server_us"))
        if ratio is None:
            continue
        asked = bar.cpu and key == "p99"
        results.append(
            Result(
                measured.row.name,
                f"{measured.row.title}, {title}; the ratio is theirs to ours",
                name,
                f"{measured.median('libws', key):.0f} us",
                f"{measured.median(name, key):.0f} us",
                ratio,
                cpu if key == "p50" else None,
                "≥ 1" if asked else "",
                ratio.at_least(1.0) if asked else None,
            )
        )
    return results


def _idle(measured, name, _bar):
    ours, theirs = _bytes(measured, "libws"), _bytes(measured, name)
    return [Result(measured.row.name, measured.row.title, name, f"{ours:.0f} B", f"{theirs:,.0f} B")]


def _idle_bar(measured):
    ours = _bytes(measured, "libws")
    title = measured.row.title
    return Result(
        measured.row.name, title, "(absolute)", f"{ours:.0f} B", "", bar=f"≤ {IDLE_BAR} B", met=ours <= IDLE_BAR
    )


def _bytes(measured, name):
    return measured.whole(name)["bytes_per_connection"]
