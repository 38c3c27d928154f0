import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseServerLog } from '../../../src/lib/runtime/server-log.js';

const logged = (name: string): string =>
  readFileSync(new URL(`../../fixtures/logs/${name}.log`, import.meta.url), 'utf8');
const TWO_GPUS = logged('cuda-two-gpus');
const MIB = 2 ** 20;

describe("a server's log", () => {
  test('tells the launch, the GPUs and what was free on them', () => {
    const free = 24564 * MIB;
    expect(parseServerLog(TWO_GPUS)).toMatchObject({
      modelPath: 'tiny.gguf',
      accelerator: 'cuda',
      launch: {
        ctxSize: 8192,
        parallel: 4,
        kvUnified: true,
        batchSize: 2048,
        ubatchSize: 512,
        flashAttn: 'auto',
        gpuLayers: 23,
        mmap: true,
        cacheTypeK: 'f16',
        cacheTypeV: 'f16',
        gpus: 2,
        gpuMemory: [
          { totalBytes: free, freeBytes: free },
          { totalBytes: free, freeBytes: free },
        ],
      },
    });
  });

  test.each([['a: a '], ['using device A0 '], ['llama_context: n_ctx = 1'], ['x'.repeat(64)]])(
    'may have a line of ten million characters, such as %j without end, which is passed over',
    (words) => {
      const long = words.repeat(10 ** 7 / words.length);
      expect(parseServerLog(`${TWO_GPUS}\n${long}`)).toEqual(parseServerLog(TWO_GPUS));
    },
  );

  test('may name devices as objects of JavaScript are made', () => {
    const odd = 'llama_kv_cache: constructor KV buffer size = 1.00 MiB\nusing device toString0 (x) - 5 MiB free';
    expect(parseServerLog(odd)).toMatchObject({ accelerator: 'cpu', launch: {} });
  });

  test('may have a time before each line, and say what the CPU is', () => {
    const { accelerator, cpuArch, launch, buffers } = parseServerLog(logged('cpu-smollm2'));
    expect({ accelerator, cpuArch, kvUnified: launch.kvUnified }).toEqual({
      accelerator: 'cpu',
      cpuArch: 'x86',
      kvUnified: true,
    });
    expect(buffers).toEqual([
      { kind: 'model', buffer: 'CPU_Mapped', mebibytes: 92.1 },
      { kind: 'output', buffer: 'CPU', mebibytes: 0.75 },
      { kind: 'KV', buffer: 'CPU', mebibytes: 180 },
      { kind: 'compute', buffer: 'CPU', mebibytes: 22.64 },
    ]);
  });

  test('counts the last time that the model was loaded, and nothing of a draft or a projector', () => {
    const dryRun = TWO_GPUS.replace(/n_ctx {17}= 8192/, 'n_ctx                 = 4096').replaceAll('96.00', '48.00');
    const draft = TWO_GPUS.replace('tiny.gguf', 'draft.gguf').replaceAll('96.00', '12.00');
    const projector = 'alloc_compute_meta:      CUDA0 compute buffer size =   150.00 MiB\n';
    const { launch, buffers } = parseServerLog(dryRun + TWO_GPUS + projector + draft);
    expect(launch.ctxSize).toBe(8192);
    expect(buffers).toEqual(parseServerLog(TWO_GPUS).buffers);
  });

  test('counts what a GPU keeps of experts (--moe-cache-mib)', () => {
    const line = 'impl:      CUDA0 MoE cache size =  2047.12 MiB for 16539.75 MiB of host experts\n';
    const { buffers } = parseServerLog(TWO_GPUS + line);
    expect(buffers.at(-1)).toEqual({ kind: 'MoE', buffer: 'CUDA0', mebibytes: 2047.12 });
  });

  test('tells that the cache stayed on the host', () => {
    const log = TWO_GPUS.replaceAll(/CUDA[01] KV/g, 'CPU KV');
    expect(parseServerLog(log).launch).toMatchObject({ gpuLayers: 23, kvOffload: false });
  });

  test('tells its build where it has a number', () => {
    expect(parseServerLog(`build: 12032 (abc) with GNU\n${TWO_GPUS}`).launch.llamaCpp).toBe('b12032');
    expect(parseServerLog(`build_info: b0-unknown\n${TWO_GPUS}`).launch.llamaCpp).toBeUndefined();
  });

  test('of a GPU whose number no llama.cpp has, and of counts that it does not take, says nothing', () => {
    const { launch } = parseServerLog(
      `${TWO_GPUS}
using device CUDA4294967293 (x) (0000) - 1 MiB free
llama_context: n_seq_max     = 999999999
llama_context: n_ctx         = 4096x
llama_context: n_batch       = 99999999999999
`,
    );
    expect(launch).toMatchObject({ gpus: 2 });
    expect([launch.parallel, launch.ctxSize, launch.batchSize]).toEqual([undefined, undefined, undefined]);
  });
});
