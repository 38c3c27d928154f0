"""llama.cpp's own server (b11549, out of the wheel xllamacpp) for one model, with the log that names its buffers."""

import sys

import xllamacpp

model, port, context = sys.argv[1:4]
params = xllamacpp.CommonParams()
params.model.path = model
params.hostnames, params.port = ["127.0.0.1"], int(port)
params.n_ctx, params.n_parallel, params.kv_unified = int(context), 4, True
params.warmup, params.verbosity = False, 4
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
