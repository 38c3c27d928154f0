import { describe, expect, test } from '@jest/globals';
import { type MemoryEstimate, totalBytes } from '../../../../src/lib/estimate/memory-estimate.js';
import type { ModelShape, ProjectorShape } from '../../../../src/lib/model/model-shape.js';
import { requantise } from '../../../../src/lib/model/quantization/quant-recipe.js';
import type { ModelVariant } from '../../../../src/lib/preflight/advice/advice.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { Levers } from '../../../../src/lib/preflight/advice/levers.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import { type BundledHeader, PROJECTOR, readBundledHeader } from '../../../../src/lib/source/bundled-header.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;

function roomOf(gpuGib: number | undefined, hostGib: number): Room {
  const gpus = gpuGib === undefined ? {} : { gpus: [{ index: 0, name: '', totalBytes: gpuGib * GIB, usedBytes: 0 }] };
  return { host: { source: 'given', totalBytes: hostGib * GIB, inUseBytes: 2 * GIB, notes: [], ...gpus }, policy: {} };
}

function variants(shape: ModelShape, names: readonly string[]): readonly ModelVariant[] {
  return names.map((quantization) => ({
    quantization,
    shape: requantise(shape, quantization) as ModelShape,
    isProven: true,
    isEstimated: true,
  }));
}

/** Knows nothing without planning. */
class PlanningAll extends Trials {
  override canFit = (): boolean => true;
  override leastLimits = (): undefined => undefined;
  override likelyHeadroom = (): undefined => undefined;
  override fitsTogether = (): boolean => true;
}

/** Writes down what is planned. */
class Watched extends Trials {
  readonly planned: LaunchOptions[] = [];
  readonly #seen = new Set<string>();

  override estimate(shape: ModelShape, launch: LaunchOptions): MemoryEstimate | undefined {
    const key = JSON.stringify([shape.quantization, launch]);
    if (!this.#seen.has(key)) this.planned.push(launch);
    this.#seen.add(key);
    return super.estimate(shape, launch);
  }
}

const CASES: readonly (readonly [string, string, LaunchOptions, number | undefined, number])[] = [
  ['llama-3.2-3b', 'Q5_K_M', { accelerator: 'cuda', ctxSize: 16384 }, 2, 6],
  ['llama-3.2-3b', 'Q5_K_M', { accelerator: 'cuda', ctxSize: 65536 }, 3, 5],
  ['qwen-3-30b-a3b', 'Q4_K_M', { accelerator: 'cuda', ctxSize: 16384 }, 8, 20],
  ['lfm2-1.2b', 'Q4_K_M', { accelerator: 'metal', ctxSize: 131072, parallel: 8 }, undefined, 5],
];

describe('advice by what is known without planning', () => {
  test.each(CASES)('is for %s in %s, %j on %s and %d GiB what planning everything finds', async (...one) => {
    const [id, quantization, launch, gpu, host] = one;
    const shape = await bundledShape(id, quantization);
    const request = { shape, launch, room: roomOf(gpu, host), variants: variants(shape, ['Q4_K_S', 'Q3_K_M', 'Q2_K']) };
    const [own, planned] = [new Trials(request.room), new PlanningAll(request.room)].map((trials) =>
      advise({ ...request, trials }).map(({ changes }) => changes),
    );
    expect(own).toEqual(planned);
    expect(own?.length).toBeGreaterThan(0);
  });
});

test('no layers are tried on a GPU where the host is too small for what that leaves', async () => {
  const shape = await bundledShape('qwen-2.5-14b', 'Q5_K_M');
  const room = roomOf(6.446, 11);
  const trials = new Watched(room);
  const launch: LaunchOptions = { accelerator: 'cuda', ctxSize: 32768 };
  advise({ shape, launch, room, variants: variants(shape, ['Q4_K_M', 'Q4_K_S']), trials });
  // Together they have room for weights and cache; but where the GPU holds all that it can, the host does not hold the rest.
  expect(trials.planned.filter(({ gpuLayers, ctxSize }) => gpuLayers !== undefined && ctxSize === 32768)).toEqual([]);
});

test('no launch is planned that has no room beside a projector whose size is known', async () => {
  const shape = await bundledShape('gemma-3-4b', 'Q5_K_M');
  const bundled = readBundledHeader('gemma-3-4b', PROJECTOR);
  const projector = describeShape((bundled as BundledHeader).header) as ProjectorShape;
  const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 4096 };
  const smaller = { ...launch, ctxSize: 2048 };
  // Without its projector of some 800 MiB it would fit.
  const absoluteBytes = totalBytes(estimateMemory(shape, smaller)) + 2 ** 20;
  const trials = new Watched({ ...roomOf(undefined, 64), policy: { absoluteBytes }, beside: { projector } });
  trials.judge(shape, launch);
  expect(trials.fits(shape, smaller)).toBe(false);
  expect(trials.planned).toEqual([launch]);
});

test('nothing is tried to leave a GPU that holds all layers', async () => {
  const shape = await bundledShape('qwen-3-30b-a3b', 'Q4_K_M');
  const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 4096 };
  const trials = new Watched(roomOf(undefined, 128));
  const { resolved } = trials.estimate(shape, launch) as MemoryEstimate;
  const levers = new Levers(trials, resolved);
  expect(levers.pull({ shape, launch, changes: [] }, 'placement')).toBeUndefined();
  expect(trials.planned).toEqual([launch]);
});

test('a GPU that holds all layers but the output head takes that too, where the host is too small for it', async () => {
  const shape = await bundledShape('qwen-2.5-14b', 'Q5_K_M');
  const { nLayerAll } = shape.hparams;
  const launch: LaunchOptions = { accelerator: 'cuda', ctxSize: 4096, gpuLayers: nLayerAll };
  const estimate = estimateMemory(shape, launch);
  const room = { ...roomOf(24, 64), policy: { absoluteBytes: totalBytes(estimate, 'host') - 1 } };
  const pulled = new Levers(new Trials(room), estimate.resolved).pull({ shape, launch, changes: [] }, 'placement');
  expect(pulled?.changes).toEqual([{ kind: 'gpu-layers', layers: nLayerAll + 1, of: nLayerAll + 1 }]);
});
