import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import type { ModelShape, ProjectorShape } from '../../../../src/lib/model/model-shape.js';
import type { Advice, Change } from '../../../../src/lib/preflight/advice/advice.js';
import { typedChanges } from '../../../../src/lib/preflight/advice/typed-changes.js';
import { splitWords } from '../../../../src/lib/runtime/server-arguments.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { judgeLaunch } from '../../../../src/lib/preflight/judge/judge-launch.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const MIB = 2 ** 20;

const shapeOf = (path: string): ModelShape =>
  describeShape(profileHeader(readProfile(join(PROFILES, path)))) as ModelShape;

/** Advice for a launch in so many bytes less than it needs. */
function advised(
  files: { model: ModelShape; draft?: ModelShape; projector?: ProjectorShape },
  launch: LaunchOptions,
  lacksBytes: number,
) {
  const { model, ...beside } = files;
  const roomOf = (absoluteBytes: number) => ({
    host: { source: 'given', totalBytes: 512 * 2 ** 30, inUseBytes: 0, notes: [] } as const,
    policy: { absoluteBytes } as const,
    beside,
  });
  const needed = judgeLaunch(files, launch, roomOf(2 ** 50)).verdict;
  const requiredBytes = Math.max(...needed.limits.map((limit) => limit.requiredBytes));
  const room = roomOf(requiredBytes - lacksBytes);
  return advise({ shape: model, launch, room, variants: [] });
}
const metal: LaunchOptions = { accelerator: 'metal', llamaCpp: 'v0.5.0', ctxSize: 8192 };

describe('a launch that drafts too much', () => {
  /** Each token more keeps 150 MiB of recurrent states of one slot. */
  const model = shapeOf('../drafts/profiles/qwen3.6-27b-mtp.Q4_K_M.json');
  const launch = { ...metal, parallel: 1, specTypes: ['draft-mtp'] };

  test('is advised the most of fewer tokens with which it fits', () => {
    const found = advised({ model }, launch, 100 * MIB).find(({ changes }) => changes[0]?.kind === 'draft-tokens');
    expect(found?.changes).toEqual([{ kind: 'draft-tokens', tokens: 2 }]);
    expect(found?.verdict.kind).not.toBe('does-not-fit');
  });

  test('is advised one token where two are too many', () => {
    const found = advised({ model }, launch, 250 * MIB).find(({ changes }) => changes[0]?.kind === 'draft-tokens');
    expect(found?.changes).toEqual([{ kind: 'draft-tokens', tokens: 1 }]);
  });

  test('is advised nothing of the kind where it does not draft', () => {
    const kinds = advised({ model }, metal, 100 * MIB).flatMap(({ changes }) => changes.map(({ kind }) => kind));
    expect(kinds).not.toContain('draft-tokens');
    expect(kinds).not.toContain('draft-on-cpu');
  });
});

describe('a launch with a draft beside the model', () => {
  const GIB = 2 ** 30;
  const files = { model: shapeOf('qwen-3-32b.Q4_K_M.json'), draft: shapeOf('../drafts/profiles/qwen3-0.6b.Q8_0.json') };
  const launch: LaunchOptions = {
    accelerator: 'cuda',
    llamaCpp: 'v0.5.0',
    ctxSize: 8192,
    gpuLayers: 99,
    specTypes: ['draft-simple'],
  };

  /** Advice where the GPU has so many bytes less than the launch needs. */
  function onSmallerGpu(lacksBytes: number) {
    const roomWith = (gpuBytes: number) => ({
      host: {
        source: 'given',
        totalBytes: 256 * GIB,
        inUseBytes: 0,
        gpus: [{ index: 0, name: '', totalBytes: gpuBytes, usedBytes: 0 }],
        notes: [],
      } as const,
      policy: { fraction: 1 } as const,
      beside: { draft: files.draft },
    });
    const { limits } = judgeLaunch(files, launch, roomWith(512 * GIB)).verdict;
    const gpu = limits.find(({ name }) => name !== 'memory');
    if (gpu === undefined) throw new Error('the GPU has no limit');
    const reservedBytes = 512 * GIB - gpu.budget.bytes;
    const room = roomWith(gpu.requiredBytes + reservedBytes - lacksBytes);
    return advise({ shape: files.model, launch, room, variants: [] });
  }

  test('is advised to keep the draft on the CPU where the GPU lacks less than it takes there', () => {
    const found = onSmallerGpu(GIB).find(({ changes }) => changes[0]?.kind === 'draft-on-cpu');
    expect(found?.changes).toEqual([{ kind: 'draft-on-cpu' }]);
    expect(found?.verdict.kind).not.toBe('does-not-fit');
  });

  test('is not, where its 604 MiB of weights, 896 of caches and 82 of buffers are not enough', () => {
    const alone = onSmallerGpu(3 * GIB).filter(({ changes }) => changes.length === 1);
    expect(alone.map(({ changes }) => changes[0]?.kind)).not.toContain('draft-on-cpu');
  });
});

describe('a launch with a draft on one memory', () => {
  const files = {
    model: shapeOf('llama-3.1-8b.Q4_K_M.json'),
    draft: shapeOf('../drafts/profiles/llama-3.2-1b.Q8_0.json'),
  };
  const launch: LaunchOptions = {
    ...metal,
    draft: './llama-3.2-1b.Q8_0.gguf',
    specTypes: ['draft-simple', 'ngram-mod'],
  };
  const find = (lacksBytes: number, kind: string) =>
    advised(files, launch, lacksBytes).find(({ changes }) => changes.length === 1 && changes[0]?.kind === kind);

  test('is advised an 8-bit cache of the draft: 17 of 32 bytes of 256 MiB', () => {
    expect(find(100 * MIB, 'draft-cache-type')?.changes).toEqual([{ kind: 'draft-cache-type', type: 'q8_0' }]);
    expect(find(121 * MIB, 'draft-cache-type')).toBeUndefined();
  });

  test('is advised to do without, its weights of 1252 MiB, caches of 256 and buffers of 82 less, n-grams kept', () => {
    expect(find(1589 * MIB, 'no-draft')?.changes).toEqual([{ kind: 'no-draft', types: ['ngram-mod'], isNamed: true }]);
    expect(find(1700 * MIB, 'no-draft')).toBeUndefined();
  });
});

test.each<[string, Change, string, Partial<Advice>]>([
  ['a draft that was typed', noDraft([], true), '', { flags: [], leaveOut: ['--spec-draft-model', '--spec-type'] }],
  ['one of the catalogue', noDraft([], false), '', { flags: ['--spec-type none'] }],
  ['one beside n-grams', noDraft(['ngram-mod'], false), '', { flags: ['--spec-type ngram-mod'] }],
  ['llama-server’s own words', noDraft([], false), '--spec-type draft-mtp', { flags: [], leaveOut: ['--spec-type'] }],
  [
    'a projector that was typed',
    { kind: 'projector', isNamed: true },
    '',
    { flags: ['--no-mmproj'], leaveOut: ['--mmproj'] },
  ],
  ['a projector on the GPU', { kind: 'projector-on-cpu' }, '', { flags: ['--no-mmproj-offload'] }],
])('what to type to be without %s', (_case, change, extra, typed) => {
  expect(typedChanges([change], splitWords(extra))).toEqual(typed);
});

function noDraft(types: readonly string[], isNamed: boolean): Change {
  return { kind: 'no-draft', types, isNamed };
}

test('a launch that neither the projector nor anything else alone makes fit is advised what does together', () => {
  const model = shapeOf('gemma-4-12b.Q4_K_M.json');
  const projector = describeShape(
    profileHeader(readProfile(join(PROFILES, '../projectors/profiles/mmproj-gemma-4-12b.F16.json'))),
  ) as ProjectorShape;
  const draft = shapeOf('../drafts/profiles/mtp-gemma-4-12b.Q8_0.json');
  // No context can be taken away: this is the least that is of use.
  const launch = { ...metal, ctxSize: 2048, parallel: 1, specTypes: ['draft-mtp'] };
  const found = advised({ model, draft, projector }, launch, 600 * MIB);
  const kinds = found.map(({ changes }) => changes.map(({ kind }) => kind));
  expect(kinds).toEqual([['no-draft', 'ubatch']]);
  expect(found[0]?.verdict.kind).not.toBe('does-not-fit');
});
