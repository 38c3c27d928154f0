"""llama.cpp's own server (b11549, out of the wheel xllamacpp) behind the command line of llama-server, as far as an agent uses it."""

import signal
import sys
import threading

VERSION = "version: 0.6.0-dev (build 11549, commit unknown)"

# option: (how the value is read, what it sets); None sets nothing
OPTIONS = {
    ("-m", "--model"): (str, lambda p, v: setattr(p.model, "path", v)),
    ("-a", "--alias"): (str, lambda p, v: setattr(p, "model_alias", {v})),
    ("--host",): (str, lambda p, v: setattr(p, "hostnames", [v])),
    ("--port",): (int, lambda p, v: setattr(p, "port", v)),
    ("-c", "--ctx-size"): (int, lambda p, v: setattr(p, "n_ctx", v)),
    ("-b", "--batch-size"): (int, lambda p, v: setattr(p, "n_batch", v)),
    ("-ub", "--ubatch-size"): (int, lambda p, v: setattr(p, "n_ubatch", v)),
    ("-lv", "--verbosity"): (int, lambda p, v: setattr(p, "verbosity", v)),
    ("--cache-ram",): (int, lambda p, v: setattr(p, "cache_ram_mib", v)),
    ("-np", "--parallel"): (int, None),
    ("-ngl", "--n-gpu-layers"): (str, None),
    ("-t", "--threads"): (int, None),
    ("--load-mode",): (str, None),
}
SWITCHES = {
    "--metrics": lambda p: setattr(p, "endpoint_metrics", True),
    "--embedding": lambda p: setattr(p, "embedding", True),
    "--no-warmup": lambda p: setattr(p, "warmup", False),
    "--jinja": lambda p: None,
}
BY_NAME = {name: option for names, option in OPTIONS.items() for name in names}


def read(words, params):
    slots = -1
    words = iter(words)
    for name in words:
        if name in SWITCHES:
            SWITCHES[name](params)
            continue
        if name not in BY_NAME:
            sys.exit(f"error: invalid argument: {name}")
        kind, put = BY_NAME[name]
        value = kind(next(words))
        if put is not None:
            put(params, value)
        if name in ("-np", "--parallel"):
            slots = value
    # as llama-server: four slots that share one cache, where none are named
    params.n_parallel = slots if slots > 0 else 4
    params.kv_unified = slots <= 0


def main():
    words = sys.argv[1:]
    if "--version" in words:
        sys.exit(print(VERSION, file=sys.stderr))
    if "--help" in words:
        sys.exit(print("\n".join([*BY_NAME, *SWITCHES])))
    import xllamacpp

    params = xllamacpp.CommonParams()
    read(words, params)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    server = xllamacpp.Server(params)
    ended.wait()
    del server


main()
