import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { changedLaunch } from '../../../../src/lib/preflight/advice/advice.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { growthRemedy } from '../../../../src/lib/preflight/judge/growth-remedy.js';
import { tightness } from '../../../../src/lib/preflight/judge/tightness.js';
import type { CompletedVerdict } from '../../../../src/lib/preflight/judge/verdict.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

const profile = (name: string): ModelShape => describeModel(profileHeader(readProfile(join(PROFILES, `${name}.json`))));

const LLAMA = profile('llama-3.1-8b.Q4_K_M');
const EAGLE = profile('../drafts/profiles/eagle3-llama-3.1-8b.F16');
const GEMMA = profile('gemma-3-4b.Q5_K_M');

const room = (gigabytes: number, beside: Room['beside'] = {}): Room => ({
  host: { source: 'given', totalBytes: 64 * GIB, inUseBytes: 0, notes: [] },
  policy: { absoluteBytes: gigabytes * GIB },
  beside,
});

const METAL: LaunchOptions = { accelerator: 'metal', ctxSize: 8192, llamaCpp: 'v0.5.0' };

function remedyIn(where: Room, shape: ModelShape, launch: LaunchOptions) {
  const trials = new Trials(where);
  const judged = (other: LaunchOptions): CompletedVerdict => {
    const verdict = trials.judge(shape, other);
    if (verdict === undefined) throw new Error('refused');
    return verdict;
  };
  const verdict = judged(launch);
  const changes = growthRemedy(verdict, launch, judged);
  const after = changes && judged(changedLaunch(launch, changes));
  const growsBeyond = (one: CompletedVerdict) =>
    tightness(one.limits, one.estimate.growth).some(({ reason }) => reason === 'growth');
  return { verdict, changes, isWithin: after && !growsBeyond(after) };
}

describe('what is said to keep growth within the budget', () => {
  test("is a smaller batch where a draft's output rows grow with it, which no prompt cache bounds", () => {
    const launch: LaunchOptions = { ...METAL, draft: 'eagle.gguf', specTypes: ['draft-eagle3'], cacheRamMiB: 0 };
    const { verdict, changes, isWithin } = remedyIn(room(8, { draft: EAGLE }), LLAMA, launch);
    // 512 rows of 128256 + 4096 numbers of 4 bytes, less those of four slots.
    const rows = verdict.estimate.growth.find(({ of, name }) => of === 'draft' && name === 'output');
    expect(rows?.maxBytes).toBeGreaterThan(200 * MIB);
    expect(verdict.kind).toBe('tight');
    expect(changes).toEqual([{ kind: 'ubatch', tokens: 256 }]);
    expect(isWithin).toBe(true);
  });

  test('is no more than that and a smaller prompt cache, where both grow', () => {
    const launch: LaunchOptions = { ...METAL, draft: 'eagle.gguf', specTypes: ['draft-eagle3'] };
    const { changes, isWithin } = remedyIn(room(8, { draft: EAGLE }), LLAMA, launch);
    expect(changes).toEqual([
      { kind: 'ubatch', tokens: 256 },
      { kind: 'prompt-cache', mebibytes: 0 },
    ]);
    expect(isWithin).toBe(true);
  });

  test('is fewer checkpoints where states of a sliding window grow', () => {
    const { changes, isWithin } = remedyIn(room(4.5), GEMMA, { ...METAL, ctxSize: 32768, parallel: 1 });
    expect(changes?.map(({ kind }) => kind)).toEqual(['checkpoints', 'prompt-cache']);
    expect(isWithin).toBe(true);
  });

  test('is fewer than two checkpoints only where no smaller context is enough', () => {
    const launch: LaunchOptions = { ...METAL, ctxSize: 32768, parallel: 1 };
    const { verdict } = remedyIn(room(4.5), GEMMA, launch);
    const tried: LaunchOptions[] = [];
    const changes = growthRemedy(verdict, launch, (other) => {
      tried.push(other);
      return verdict;
    });
    expect(changes).toEqual([]);
    const counts = tried.map(({ ctxCheckpoints = 32 }) => ctxCheckpoints);
    const smallestContext = tried.findLastIndex(({ ctxSize }) => ctxSize === 32768 / 8);
    expect(counts.slice(0, smallestContext)).not.toContain(1);
    expect(counts.slice(smallestContext + 1)).toContain(1);
  });

  test('is tried from what loses least: each change alone, the least of all together, then smaller contexts', () => {
    const launch: LaunchOptions = { ...METAL, draft: 'eagle.gguf', specTypes: ['draft-eagle3'] };
    const { verdict } = remedyIn(room(8, { draft: EAGLE }), LLAMA, launch);
    const triedWithin = (bounds: Parameters<typeof growthRemedy>[3]): string[] => {
      const tried: string[] = [];
      growthRemedy(
        verdict,
        launch,
        ({ ctxSize, ubatchSize = 512, draftMax = 3, parallel = 4 }) => {
          tried.push([ctxSize, ubatchSize, draftMax, parallel].join());
          return undefined;
        },
        bounds,
      );
      return tried;
    };
    const alone = ['8192,256,3,4', '8192,128,3,4', '8192,64,3,4', '8192,512,2,4', '8192,512,1,4'];
    // Eighths of 8192 tokens, and no fewer than 5500.
    expect(triedWithin({ leastContext: 5500 })).toEqual([
      ...[...alone, '8192,512,3,1', '8192,64,1,1'],
      ...['7168,512,3,4', '7168,64,1,1', '6144,512,3,4', '6144,64,1,1'],
    ]);
    expect(triedWithin({ leastContext: 7000, slotsLast: true })).toEqual([
      ...[...alone, '8192,64,1,4', '7168,512,3,4', '7168,64,1,4'],
      ...['8192,512,3,1', '8192,64,1,1'],
    ]);
  });

  test('is not looked for where a smaller prompt cache alone is enough, or nothing is tight', () => {
    expect(remedyIn(room(8), LLAMA, METAL).changes).toBeUndefined();
    expect(remedyIn(room(60), LLAMA, METAL).changes).toBeUndefined();
  });
});
