import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCatalog } from '../../../src/lib/catalog/load-catalog.js';
import { measureHost, type MeasureHost } from '../../../src/lib/host/measure-host.js';
import type { Probe } from '../../../src/lib/host/probe.js';
import { checkMemory } from '../../../src/lib/preflight/check-memory.js';
import type { CheckRequest } from '../../../src/lib/preflight/plan-check.js';
import type { MemoryCheck } from '../../../src/lib/preflight/memory-check.js';
import { readHeaderFor } from '../../../src/lib/source/model-header.js';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const GIB = 2 ** 30;
/** One of each kind: dense, windowed, experts, latent attention, recurrent, hybrid, an encoder. */
const KINDS = [
  'llama-3.1-8b.Q8_0',
  'gemma-3-4b.Q5_K_M',
  'granitemoe-granite-3.1-1b-a400m.Q8_0',
  'deepseek-v2-lite.Q4_K_M',
  'mamba-mamba-130m.Q8_0',
  'lfm2-1.2b.Q4_K_M',
  'nomic-bert-nomic-embed-text-v1.5.F16',
];
const names = [...KINDS, 'llama-3.2-3b.Q5_K_M', 'qwen-2.5-coder-32b.Q4_K_M'];

let server: RangeServer;
let folder: { path: string; remove: () => Promise<void> };
let catalogFile: string;

beforeAll(async () => {
  server = await RangeServer.start();
  folder = await temporaryFolder();
  catalogFile = join(folder.path, 'catalog.yaml');
  const entries = names.map((name) => `  ${id(name)}:\n    source: ${server.url(`/${name}.gguf`)}\n`);
  await writeFile(catalogFile, `models:\n${entries.join('')}`);
  for (const name of names) server.serve(`/${name}.gguf`, profileFile(name));
});

afterAll(async () => {
  await server.close();
  await folder.remove();
});

/** The file of a profile: its header, and how long all of it is. */
function profileFile(name: string): { start: Uint8Array; size: number } {
  const { header, dataBytes } = buildGguf(profileSpec(readProfile(join(PROFILES, `${name}.json`))));
  return { start: header, size: header.length + dataBytes };
}

const id = (name: string): string => `served-${name.toLowerCase()}`;

const AWAY_FROM_A_MAC: Probe = {
  platform: 'linux',
  arch: 'x64',
  run: async () => undefined,
  readText: async () => undefined,
};

function check(
  model: string,
  more: Partial<CheckRequest> = {},
  measure: MeasureHost = measureHost,
): Promise<MemoryCheck> {
  const request: CheckRequest = {
    model,
    accelerator: 'metal',
    launch: { ctxSize: 4096 },
    extraArgs: [],
    machine: { systemMemoryBytes: 64 * GIB, inUseBytes: 0 },
    policy: {},
    ...more,
  };
  return checkMemory(request, {
    loadCatalog: () => loadCatalog(catalogFile),
    readHeader: (resolved) => readHeaderFor(resolved, { env: {} }),
    measureHost: measure,
  });
}

describe('a model', () => {
  test.each(KINDS)('%s has the same figures by URL, by path and by catalogue id', async (name) => {
    const path = join(folder.path, `${name}.gguf`);
    const { start, size } = profileFile(name);
    await writeSparseFile(path, start, size);
    const [byUrl, byPath, byId] = [await check(server.url(`/${name}.gguf`)), await check(path), await check(id(name))];
    expect(byUrl.shape?.fileBytes).toBe(size);
    expect(byPath.estimate).toEqual(byUrl.estimate);
    expect(byId.estimate).toEqual(byUrl.estimate);
    expect(byPath.verdict).toEqual(byUrl.verdict);
    expect(byId.verdict).toEqual(byUrl.verdict);
    expect(byUrl.header).toEqual({ origin: 'live', derived: false });
  });

  test('that is bundled has the figures of the file that it stands for', async () => {
    const offline = await checkMemory(
      {
        model: 'qwen-coder-32b',
        accelerator: 'metal',
        launch: { ctxSize: 4096 },
        extraArgs: [],
        machine: { systemMemoryBytes: 64 * GIB, inUseBytes: 0 },
        policy: {},
      },
      {
        loadCatalog,
        readHeader: (resolved) => readHeaderFor(resolved, { offline: true, env: {} }),
        measureHost,
      },
    );
    const served = await check(id('qwen-2.5-coder-32b.Q4_K_M'));
    expect(offline.header).toEqual({ origin: 'bundled', derived: true });
    expect(offline.estimate).toEqual(served.estimate);
    expect(offline.verdict.warnings.join()).toContain('bundled');
  });

  test('is found by another quantization of its file', async () => {
    const result = await check(server.url('/llama-3.1-8b.Q4_K_M.gguf'), { quantization: 'q8_0' });
    expect(result.source).toBe(server.url('/llama-3.1-8b.Q8_0.gguf'));
    expect(result.shape?.quantization).toBe('Q8_0');
  });
});

describe('a check that cannot be completed', () => {
  const LLAMA = '/llama-3.2-3b.Q5_K_M.gguf';

  test.each([
    ['a file that the server does not have', () => server.url('/nothing.gguf'), 'SOURCE_NOT_FOUND'],
    ['storage of the cluster', () => 'pvc://claim/model.gguf', 'SOURCE_UNSUPPORTED'],
    ['a bucket', () => 's3://bucket/model.gguf', 'SOURCE_UNSUPPORTED'],
  ])('is unknown, not a guess: %s', async (_name, model, code) => {
    const { verdict, suggestions } = await check(model());
    expect(verdict).toMatchObject({ kind: 'unknown', code });
    expect(suggestions).toBeInstanceOf(Array);
  });

  test('still tells the estimate when only the machine is not known', async () => {
    const result = await check(server.url(LLAMA), { machine: {} }, (request) => measureHost(request, AWAY_FROM_A_MAC));
    expect(result.verdict).toMatchObject({ kind: 'unknown', code: 'MACHINE_UNKNOWN' });
    expect(result.estimate?.parts.length).toBeGreaterThan(0);
  });

  test('comes of an option that adds memory which is not counted', async () => {
    const { verdict } = await check(server.url(LLAMA), { extraArgs: ['-m other.gguf'] });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'OPTION_NOT_COUNTED' });
    expect(verdict.kind === 'unknown' && verdict.reason).toContain('-m loads another model');
  });

  test('is complete all the same when even the model alone does not fit', async () => {
    const machine = { systemMemoryBytes: GIB, inUseBytes: 0 };
    const { verdict } = await check(server.url(LLAMA), { extraArgs: ['-m other.gguf'], machine });
    expect(verdict.kind).toBe('does-not-fit');
  });

  test('does not come of an option that only moves memory the CPU and the GPU share', async () => {
    const { verdict } = await check(server.url(LLAMA), { extraArgs: ['--rpc 10.0.0.1:50052'] });
    expect(verdict.kind).not.toBe('unknown');
    expect(verdict.warnings.join()).toContain('--rpc moves weights');
  });

  test('comes of that option on a discrete GPU', async () => {
    const machine = { systemMemoryBytes: 64 * GIB, inUseBytes: 0, gpuMemoryBytes: 24 * GIB };
    const { verdict } = await check(server.url(LLAMA), {
      accelerator: 'cuda',
      extraArgs: ['--rpc 10.0.0.1:50052'],
      machine,
    });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'OPTION_NOT_COUNTED' });
  });
});
