import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../../src/lib/estimate/memory-estimate.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { changedLaunch, type Suggestion } from '../../../../src/lib/preflight/advice/advice.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { fitLaunch } from '../../../../src/lib/preflight/fit/fit-launch.js';
import { roomOf } from '../../../../src/lib/preflight/advice/machine-changes.js';
import { largestContext } from '../../../../src/lib/preflight/advice/largest-fitting.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { headroomBytes } from '../../../../src/lib/preflight/judge/verdict.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { anyContext, anyModel, usualModels, variantsOf } from '../../../support/models/usual-models.js';

const GIB = 2 ** 30;
const { count: modelCount, at: shapeAt } = usualModels();
const RUNS = { numRuns: 15 };

const bytes = (shape: ModelShape, launch: LaunchOptions): number => totalBytes(estimateMemory(shape, launch));
const cardBeside = (gpuGiB: number, hostGiB: number): Room => ({
  host: {
    ...{ source: 'given', totalBytes: hostGiB * GIB, inUseBytes: 2 * GIB, notes: [] },
    gpus: [{ index: 0, name: '', totalBytes: gpuGiB * GIB, usedBytes: 0 }],
  },
  policy: {},
});
const kinds = ({ changes }: Suggestion): string => changes.map(({ kind }) => kind).join('+');

/** Notes the launches of which graphs are planned. */
class NotedTrials extends Trials {
  readonly planned = new Set<string>();

  override estimate(...[shape, launch]: Parameters<Trials['estimate']>): ReturnType<Trials['estimate']> {
    this.planned.add(`${shape.quantization} ${JSON.stringify(launch)}`);
    return super.estimate(shape, launch);
  }
}

describe('the largest context', () => {
  test('fits, and 256 tokens more do not', () => {
    fc.assert(
      fc.property(
        anyModel,
        fc.integer({ min: 6, max: 64 }),
        fc.option(fc.integer({ min: 1, max: 4 })),
        (model, gigabytes, parallel) => {
          const shape = shapeAt(model);
          const trials = new Trials(roomOf(gigabytes * GIB, 2 * GIB, true));
          const launch: LaunchOptions = {
            accelerator: 'metal',
            ...(parallel !== null && { parallel, kvUnified: true }),
          };
          const most = 131072;
          const found = largestContext(trials, shape, launch, { least: 256, most });
          const fits = (ctxSize: number): boolean => trials.fitting(shape, { ...launch, ctxSize }) !== undefined;
          if (found === undefined) expect(fits(256)).toBe(false);
          else {
            expect(fits(found)).toBe(true);
            if (found < most) expect(fits(found + 256)).toBe(false);
          }
        },
      ),
      RUNS,
    );
  });
});

describe('what is planned', () => {
  test('for advice is what is proposed, what was refused, and two launches beside', () => {
    const shape = shapeAt(0);
    const room = roomOf(32 * GIB, 3.4 * GIB, true);
    const trials = new NotedTrials(room);
    const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };
    const found = advise({ shape, launch, room, variants: variantsOf(shape), trials });
    // One suggestion changes the machine, and is judged by what was refused.
    expect(found).toHaveLength(5);
    expect(trials.planned.size).toBeLessThanOrEqual(found.length - 1 + 1 + 2);
  });

  test('for changes that are only enough together is less than each of them at each of its sizes', () => {
    const shape = shapeAt(2);
    const room = roomOf(16 * GIB, 2 * GIB, true);
    const trials = new NotedTrials(room);
    const found = advise({
      ...{ shape, room, trials, variants: variantsOf(shape) },
      launch: { accelerator: 'metal', ctxSize: 32768 },
    });
    expect(found.map(kinds)).toContain('slots+cache-type+ubatch+context');
    expect(trials.planned.size).toBeLessThanOrEqual(10);
  });

  test('for a launch that host and card together do not hold is nothing for each number of layers', () => {
    const shape = shapeAt(3);
    const room = cardBeside(8, 16);
    const trials = new NotedTrials(room);
    // 96 KiB a token, 12 GiB of cache beside 17.3 GiB of weights, half as much at 8 bits: 18 GiB are there at the most.
    const found = advise({ shape, launch: { accelerator: 'cuda', ctxSize: 131072 }, room, variants: [], trials });
    expect(found.map(kinds)).toEqual(['machine']);
    expect(trials.planned.size).toBeLessThanOrEqual(3);
  });

  test('for the largest context is no more than four contexts, of up to 512', () => {
    for (let model = 0; model < modelCount; model++) {
      const shape = shapeAt(model);
      const launch: LaunchOptions = { accelerator: 'metal' };
      const trials = new NotedTrials(roomOf(24 * GIB, 2 * GIB, true));
      largestContext(trials, shape, launch, { least: 256, most: 131072 });
      expect([shape.name, trials.planned.size <= 4]).toEqual([shape.name, true]);
    }
  });

  test('for a model that no change makes fit is nothing but what was refused', () => {
    const shape = shapeAt(0);
    const room = roomOf(8 * GIB, 3.4 * GIB, true);
    const trials = new NotedTrials(room);
    const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };
    advise({ shape, launch, room, variants: variantsOf(shape), trials });
    expect(trials.planned.size).toBe(1);
  });
});

test('what fits with some layers on a card is never said to be more than host and card hold together', () => {
  const request = fc.record({
    ...{ model: anyModel, ctxSize: anyContext(512), layers: fc.double({ min: 0, max: 1, noNaN: true }) },
    ...{ gpu: fc.integer({ min: 2, max: 24 }), host: fc.integer({ min: 8, max: 64 }) },
  });
  fc.assert(
    fc.property(request, ({ model, ctxSize, layers, gpu, host }) => {
      const shape = shapeAt(model);
      const trials = new Trials(cardBeside(gpu, host));
      const launch: LaunchOptions = { accelerator: 'cuda', ctxSize };
      const gpuLayers = Math.round(layers * (shape.hparams.nLayerAll + 1));
      if (trials.fitting(shape, { ...launch, gpuLayers })) expect(trials.fitsTogether(shape, launch)).toBe(true);
    }),
    RUNS,
  );
});

describe('suggestions', () => {
  const refusals = fc.record({ model: anyModel, gigabytes: fc.integer({ min: 6, max: 48 }), ctxSize: anyContext(512) });

  test('each fits by the check that refused, and none is proposed to a launch that fits', () => {
    fc.assert(
      fc.property(refusals, ({ model, gigabytes, ctxSize }) => {
        const [shape, room] = [shapeAt(model), roomOf(gigabytes * GIB, 3 * GIB, true)];
        const launch: LaunchOptions = { accelerator: 'metal', ctxSize };
        const found = advise({ shape, launch, room, variants: variantsOf(shape) });
        const isRefused = new Trials(room).fitting(shape, launch) === undefined;
        if (!isRefused) expect(found).toEqual([]);
        for (const { verdict } of found) {
          expect(verdict.kind).not.toBe('does-not-fit');
          for (const limit of verdict.limits) expect(headroomBytes(limit)).toBeGreaterThanOrEqual(0);
        }
      }),
      RUNS,
    );
  });

  test('the micro-batch that is proposed is the largest of the smaller ones that fits', () => {
    fc.assert(
      fc.property(refusals, ({ model, gigabytes, ctxSize }) => {
        const [shape, room] = [shapeAt(model), roomOf(gigabytes * GIB, 3 * GIB, true)];
        const launch: LaunchOptions = { accelerator: 'metal', ctxSize };
        for (const { changes } of advise({ shape, launch, room, variants: variantsOf(shape) })) {
          const variant = changes.find((change) => change.kind === 'quantization')?.variant;
          const doubled = changes.map((change) =>
            change.kind === 'ubatch' ? { ...change, tokens: 2 * change.tokens } : change,
          );
          if (!doubled.some((change) => change.kind === 'ubatch' && change.tokens < 512)) continue;
          const larger = new Trials(room).fitting(variant?.shape ?? shape, changedLaunch(launch, doubled));
          expect([changes.map(({ kind }) => kind), larger]).toEqual([changes.map(({ kind }) => kind), undefined]);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('a context that is proposed by itself is the largest that fits', () => {
    const shape = shapeAt(1);
    const room = roomOf(16 * GIB, 3 * GIB, true);
    const [found] = advise({ shape, launch: { accelerator: 'metal', ctxSize: 131072 }, room, variants: [] }).filter(
      (suggestion) => kinds(suggestion) === 'context',
    );
    const [context] = found?.changes ?? [];
    if (context?.kind !== 'context') throw new Error('no context was proposed');
    const trials = new Trials(room);
    expect(trials.fitting(shape, { accelerator: 'metal', ctxSize: context.tokens + 256 })).toBeUndefined();
  });

  test('a 32B on a 32 GB Mac with 3.4 GB in use has at least three ways that work, the most precise weights first', () => {
    const shape = shapeAt(0);
    const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };
    const found = advise({ shape, launch, room: roomOf(32 * GIB, 3.4 * GIB, true), variants: variantsOf(shape) });
    expect(found.map(kinds)).toEqual([
      'quantization+cache-type+context',
      'quantization+cache-type',
      'quantization',
      'quantization+free-memory',
      'memory-fraction',
    ]);
  });

  test('where nothing helps, the smallest Mac that runs it as it is', () => {
    const shape = shapeAt(0);
    const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };
    const [only, ...others] = advise({
      shape,
      launch,
      room: roomOf(8 * GIB, 3.4 * GIB, true),
      variants: variantsOf(shape),
    });
    expect(others).toEqual([]);
    // 21.2 GB and 3.4 GB in use: 36 GB × 0.67 leaves 20.7 GB, 48 GB × 0.75 leaves 32.6 GB.
    expect(only?.changes).toEqual([{ kind: 'machine', gigabytes: 48, memory: 'mac' }]);
  });

  test('the wired limit is proposed with what stays for macOS, and only where that is enough', () => {
    const shape = shapeAt(0);
    const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };
    const room = (totalGiB: number, wiredGiB: number) => {
      const { host } = roomOf(totalGiB * GIB, 2 * GIB, true);
      return { host: { ...host, gpuWiredLimitBytes: wiredGiB * GIB }, policy: { fraction: 0.9 } };
    };
    const proposed = advise({ shape, launch, room: room(32, 16), variants: [] }).map(kinds);
    expect(proposed).toContain('wired-limit');
    const unsafe = advise({ shape, launch, room: room(24.5, 16), variants: [] }).map(kinds);
    expect(unsafe).not.toContain('wired-limit');
    expect(unsafe).not.toContain('memory-fraction');
  });

  test('memory is only to be freed where the system keeps its own', () => {
    const shape = shapeAt(1);
    const launch: LaunchOptions = { accelerator: 'cpu', ctxSize: 8192 };
    const room = (inUseGiB: number) => roomOf(16 * GIB, inUseGiB * GIB, false);
    const freed = advise({ shape, launch, room: room(5), variants: [] }).find((one) => kinds(one) === 'free-memory');
    const [change] = freed?.changes ?? [];
    if (change?.kind !== 'free-memory') throw new Error('nothing was to be freed');
    const short = bytes(shape, launch) - (Math.floor(16 * GIB * 0.67) - 5 * GIB);
    expect(change.freeBytes).toBeGreaterThanOrEqual(short);
    expect(change.freeBytes).toBeLessThan(short + GIB / 10);
    expect(change.inUseBytes).toBeGreaterThanOrEqual(2 * GIB);
  });

  test('experts leave a GPU of their own before layers do, and no more than have to', () => {
    const shape = shapeAt(3);
    const host = { source: 'given', totalBytes: 64 * GIB, inUseBytes: 0, notes: [] } as const;
    const room = { host: { ...host, gpus: [{ index: 0, name: '', totalBytes: 12 * GIB, usedBytes: 0 }] }, policy: {} };
    const launch: LaunchOptions = { accelerator: 'cuda', ctxSize: 8192 };
    const [moved] = advise({ shape, launch, room, variants: [] }).filter((one) => kinds(one) === 'cpu-experts');
    const [change] = moved?.changes ?? [];
    if (change?.kind !== 'cpu-experts') throw new Error('no experts were moved');
    const trials = new Trials(room);
    expect(trials.fitting(shape, { ...launch, cpuMoeLayers: change.layers })).toBeDefined();
    expect(trials.fitting(shape, { ...launch, cpuMoeLayers: change.layers - 1 })).toBeUndefined();
  });
});

describe('the best launch', () => {
  test('fits with five percent of the budget to spare, prompt cache and all', () => {
    fc.assert(
      fc.property(
        anyModel,
        fc.integer({ min: 8, max: 96 }),
        fc.constantFrom('quality', 'context'),
        (model, gigabytes, prefer) => {
          const shape = shapeAt(model);
          const room = roomOf(gigabytes * GIB, 3 * GIB, true);
          const request = {
            shape,
            launch: { accelerator: 'metal' },
            variants: variantsOf(shape),
            prefer,
            asked: {},
          } as const;
          const found = fitLaunch(new Trials(room), request);
          for (const limit of found?.verdict.limits ?? []) {
            expect(headroomBytes(limit)).toBeGreaterThanOrEqual(limit.budget.bytes * 0.05);
          }
          expect(found?.launch.ctxSize ?? 0).toBeLessThanOrEqual(Math.ceil(shape.hparams.nCtxTrain / 256) * 256);
        },
      ),
      { numRuns: 8 },
    );
  });

  test('context first never holds less context than quality first, nor quality first fewer bits', () => {
    const shape = shapeAt(1);
    for (const gigabytes of [12, 16, 24, 32]) {
      const find = (prefer: 'quality' | 'context') =>
        fitLaunch(new Trials(roomOf(gigabytes * GIB, 3 * GIB, true)), {
          shape,
          launch: { accelerator: 'metal' },
          variants: variantsOf(shape),
          asked: {},
          prefer,
        });
      const [quality, context] = [find('quality'), find('context')];
      expect(context?.launch.ctxSize ?? 0).toBeGreaterThanOrEqual(quality?.launch.ctxSize ?? 0);
      expect(quality?.shape.fileBytes ?? 0).toBeGreaterThanOrEqual(context?.shape.fileBytes ?? 0);
    }
  });
});
