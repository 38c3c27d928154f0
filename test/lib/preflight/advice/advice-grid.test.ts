import { describe, expect, test } from '@jest/globals';
import { parse } from '@oclif/core/parser';
import { loadCatalog } from '../../../../src/lib/catalog/load-catalog.js';
import { checkRequest } from '../../../../src/lib/cli/check-request.js';
import { readCommandLine, type FlagSpec } from '../../../../src/lib/cli/flags/command-line.js';
import { launchFlags } from '../../../../src/lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../../../../src/lib/cli/flags/machine-flags.js';
import { refuseContradictions } from '../../../../src/lib/cli/flags/contradictions.js';
import { measureHost } from '../../../../src/lib/host/measure-host.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { findAdvice } from '../../../../src/lib/preflight/advice/find-advice.js';
import { Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { recipeVariants } from '../../../../src/lib/preflight/advice/variants.js';
import { checkMemory, type CheckDependencies } from '../../../../src/lib/preflight/check-memory.js';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import { splitWords } from '../../../../src/lib/runtime/server-arguments.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { isUnreachable, readHeaderFor } from '../../../../src/lib/source/model-header.js';
import { requantisedHeader } from '../../../../src/lib/preflight/requantised-header.js';

const MODELS = [
  ...['llama-3.1-8b', 'qwen-coder-32b', 'llama-3.3-70b', 'qwen-3-30b-a3b', 'gpt-oss-20b', 'gemma-3-27b'],
  ...['mistral-nemo-12b', 'phi-4', 'mixtral-8x7b', 'qwen-2.5-14b', 'gemma-3-12b', 'qwen-3-32b'],
];
const mac = (gib: number): string => `--accelerator metal --system-memory ${gib}Gi --in-use 3Gi`;
const card = (gpu: number, host: number): string =>
  `--accelerator cuda --gpu-memory ${gpu}Gi --system-memory ${host}Gi --in-use 2Gi`;
const MACHINES = [
  ...[8, 16, 32, 64].map(mac),
  ...[card(12, 32), card(12, 64), card(16, 32), card(24, 64)],
  '--accelerator cpu --system-memory 16Gi --in-use 2Gi',
];
/** All 108 take minutes: LLMKUBE_TEST_GRID=all. */
const ALL = MODELS.flatMap((model) => MACHINES.map((machine) => [model, machine] as const));
const SAMPLE = [
  ['llama-3.3-70b', `${card(24, 64)} -c 8192`],
  ['qwen-3-30b-a3b', card(12, 32)],
  ['gpt-oss-20b', '--accelerator cpu --system-memory 24Gi --in-use 2Gi -c 16384'],
  ['qwen-coder-32b', mac(32)],
  ['llama-3.1-8b', mac(8)],
] as const;
const GRID = process.env.LLMKUBE_TEST_GRID === 'all' ? ALL : SAMPLE;

const offline = async (model: Parameters<CheckDependencies['readHeader']>[0]) => {
  const read = (one: typeof model) => readHeaderFor(one, { offline: true });
  return read(model).catch(async (error: unknown) => {
    if (!isUnreachable(error)) throw error;
    const header = await requantisedHeader(model, read, error);
    if (header === undefined) throw error;
    return header;
  });
};
const DEPENDENCIES: CheckDependencies = {
  loadCatalog: () => loadCatalog(),
  readHeader: offline,
  measureHost,
  advise: (refused) => findAdvice(refused, { readHeader: offline, listSiblings: async () => undefined, offline: true }),
};

const FLAGS = { ...launchFlags, ...budgetFlags };

/** As the command line is read, and then checked. */
async function run(model: string, words: readonly string[]): Promise<MemoryCheck> {
  const { words: argv, variables } = readCommandLine(words, FLAGS as Readonly<Record<string, FlagSpec>>, {});
  const { flags } = await parse([...argv], { flags: FLAGS, args: {}, strict: true });
  refuseContradictions(flags, variables);
  return checkMemory(await checkRequest(model, flags as Parameters<typeof checkRequest>[1]), DEPENDENCIES);
}

/** Whether any of the documented changes, at their ends and some between, makes the model or a smaller one of it fit. */
function bruteForce({ shape, launch, room, resolved }: MemoryCheck): boolean {
  if (!shape || !room || !resolved) throw new Error('the check was not completed');
  const trials = new Trials(room);
  const shapes = [shape, ...recipeVariants(shape, resolved).map((variant) => variant.shape)];
  return shapes.some((one) => launchesOf(one, launch).some((other) => trials.fitting(one, other) !== undefined));
}

function launchesOf({ hparams }: ModelShape, launch: LaunchOptions): readonly LaunchOptions[] {
  const { nLayer, nLayerAll, nExpert } = hparams;
  const parts = [0, 0.25, 0.5, 0.75, 1];
  const placements: readonly Partial<LaunchOptions>[] =
    launch.accelerator === 'cpu'
      ? [{}]
      : [
          {},
          ...parts.map((part) => ({ gpuLayers: Math.round((nLayerAll + 1) * part) })),
          ...(nExpert > 0 ? parts.map((part) => ({ cpuMoeLayers: Math.round(nLayer * part) })) : []),
        ];
  const loads: readonly Partial<LaunchOptions>[] = [{}, { mmap: false }, { repack: false }];
  const smallest = { parallel: 1, ubatchSize: 64, ctxSize: 2048 };
  const caches = [{}, { cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' }] as const;
  return placements.flatMap((placement) =>
    loads.flatMap((load) => caches.map((cache) => ({ ...launch, ...smallest, ...placement, ...load, ...cache }))),
  );
}

describe('advice', () => {
  test.each(GRID)('for %s on %s is complete, and true as it is printed', async (model, machine) => {
    const asked = machine.split(' ');
    const check = await run(model, asked);
    if (check.verdict.kind !== 'does-not-fit') return;
    const { advice = [] } = check;
    const ofLaunch = advice.filter(({ changes }) => changes.every(({ kind }) => kind !== 'machine'));
    if (bruteForce(check)) expect(ofLaunch.length).toBeGreaterThan(0);
    for (const { flags, model: other, verdict } of advice) {
      const again = await run(other ?? model, [...asked, ...flags.flatMap(splitWords)]);
      expect([flags, again.verdict.kind]).toEqual([flags, verdict.kind]);
      if (again.verdict.kind === 'unknown') throw new Error(again.verdict.reason);
      expect(again.verdict.limits.map(({ requiredBytes }) => requiredBytes)).toEqual(
        verdict.limits.map(({ requiredBytes }) => requiredBytes),
      );
    }
  });
});
