"""The rows of the bench: what is sent, to which servers, and the bar that libws is held to."""

import fnmatch
from dataclasses import dataclass, field

# Peers from the registries, fastest last; the ones in Python serve few rows.
REGISTRY = ["ws", "bun", "tokio-tungstenite", "fastwebsockets", "libwebsockets"]
PYTHON = ["picows", "websockets", "aiohttp"]
SIZES = {"20": 20, "125": 125, "1k": 1024, "16k": 16384, "64k": 65536, "256k": 262144}
LARGE = ("64k", "256k")


@dataclass
class Bar:
    """What the median must reach: throughput at least, CPU per message at most; None is not asked."""

    throughput: float = None
    cpu: float = None


@dataclass
class Row:
    """One row; `bars` by peer, where `yardstick` is the first server given by command."""

    name: str
    title: str
    mode: str
    options: dict
    server_mode: str = "plain"
    peers: list = field(default_factory=list)
    bars: dict = field(default_factory=dict)

    def arguments(self):
        """The command line of the load generator, without the servers."""
        return [self.mode, *(str(word) for pair in self.options.items() for word in pair)]


def _echo(size, connections):
    bar = Bar(1.1, 0.9) if size in LARGE else Bar(1.0, 1.0)
    bars = {"yardstick": bar}
    peers = []
    if connections == 10:
        peers = REGISTRY + (PYTHON if size in ("20", "1k") else [])
        bars["ws"] = Bar(throughput=2.0)
    return Row(
        f"echo-{size}-c{connections}",
        f"echo {_size(size)}, {connections} connections",
        "echo",
        {"--size": SIZES[size], "--connections": connections},
        peers=peers,
        bars=bars,
    )


def _in_flight(size, depth, throughput, cpu):
    bars = {"yardstick": Bar(throughput, cpu)}
    if depth == 16:
        bars["ws"] = Bar(throughput=15.0)
    return Row(
        f"echo-{size}-x{depth}",
        f"echo {_size(size)}, {depth} in flight, 10 connections",
        "echo",
        {"--size": SIZES[size], "--connections": 10, "--depth": depth},
        peers=REGISTRY + (PYTHON if depth == 16 and size == "20" else []),
        bars=bars,
    )


def _text(kind, size, bar):
    return Row(
        f"text-{kind}-{size}",
        f"echo of {kind.capitalize() if kind == 'chinese' else 'ASCII'} text, {_size(size)}, 10 connections",
        "echo",
        {"--size": SIZES[size], "--connections": 10, "--kind": kind},
        peers=["bun", "fastwebsockets"],
        bars={"yardstick": bar},
    )


def _broadcast(size):
    return Row(
        f"broadcast-{size}-c1000",
        f"broadcast {_size(size)}, 1 to 1,000 (per delivery)",
        "broadcast",
        {"--size": SIZES[size], "--connections": 1000},
        server_mode="broadcast",
        peers=["ws", "bun"],
        bars={"yardstick": Bar(1.0, None)},
    )


def _deflate(size, server_mode, bar):
    how = {"deflate-fast": ", libws at level 1", "takeover": ", with context takeover"}.get(server_mode, "")
    return Row(
        f"{server_mode}-{size}",
        f"permessage-deflate, JSON {_size(size)}, 10 connections{how}",
        "echo",
        {
            "--size": SIZES[size],
            "--connections": 10,
            "--kind": "json",
            "--deflate": "takeover" if server_mode == "takeover" else "no-takeover",
        },
        server_mode=server_mode,
        peers=["ws", "bun"],
        bars={"yardstick": bar},
    )


def _latency(connections):
    return Row(
        f"latency-20-c{connections}",
        f"latency of 20 B at half load, {connections} connections",
        "latency",
        {"--size": 20, "--connections": connections, "--window-ms": 200},
        bars={"yardstick": Bar(None, 1.0)},
    )


def _size(size):
    return f"{size[:-1]} KiB" if size.endswith("k") else f"{size} B"


def all_rows():
    """Every row, in the order of the table."""
    echoes = [_echo(size, connections) for size in SIZES for connections in (10, 200, 1000)]
    return [
        *echoes,
        _in_flight("20", 16, 1.0, None),
        _in_flight("20", 64, 1.1, None),
        _in_flight("1k", 16, 1.1, None),
        _text("ascii", "125", Bar(1.0, 1.0)),
        _text("ascii", "1k", Bar(1.0, 1.0)),
        _text("chinese", "1k", Bar(1.15, None)),
        _text("chinese", "16k", Bar(1.15, None)),
        _text("chinese", "64k", Bar(1.15, None)),
        _broadcast("20"),
        _broadcast("1k"),
        _deflate("1k", "deflate", Bar(1.0, None)),
        _deflate("16k", "deflate", Bar(1.2, None)),
        _deflate("1k", "deflate-fast", Bar(1.3, None)),
        _deflate("16k", "deflate-fast", Bar(2.0, None)),
        _deflate("1k", "takeover", Bar(1.0, None)),
        Row(
            "set-up",
            "connections opened per second, 32 at a time",
            "set-up",
            {"--connections": 32},
            peers=["ws", "bun", "tokio-tungstenite", "fastwebsockets", "libwebsockets"],
            bars={"yardstick": Bar(1.0, 1.0)},
        ),
        Row(
            "idle",
            "memory per idle connection, 10,000 of them",
            "idle",
            {"--connections": 10000},
            peers=["ws", "bun", "tokio-tungstenite", "fastwebsockets", "libwebsockets"],
        ),
        _latency(10),
        _latency(200),
    ]


# Bytes of resident memory per idle plain connection, at most.
IDLE_BAR = 256


def select(patterns):
    """The rows that one of the patterns names; all without patterns. A pattern that names none is an error."""
    rows = all_rows()
    if not patterns:
        return rows
    for pattern in patterns:
        if not any(fnmatch.fnmatch(row.name, pattern) for row in rows):
            names = ", ".join(row.name for row in rows)
            raise SystemExit(f"no row is called {pattern}; there are {names}")
    return [row for row in rows if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)]
