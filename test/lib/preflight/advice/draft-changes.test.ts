import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { judgeLaunch } from '../../../../src/lib/preflight/judge-launch.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/profile.js';

const MIB = 2 ** 20;

const shapeOf = (path: string): ModelShape =>
  describeShape(profileHeader(readProfile(join(PROFILES, path)))) as ModelShape;

/** Advice for a launch in so many bytes less than it needs. */
function advised(files: { model: ModelShape; draft?: ModelShape }, launch: LaunchOptions, lacksBytes: number) {
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
