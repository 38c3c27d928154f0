import { speculationOf } from '../../estimate/draft/speculation.js';
import { type Attempt, changed, type Levers } from './levers.js';
import type { Trials } from './trials.js';

/**
 * What may be changed about how a launch drafts: the most of fewer tokens with which it fits, and the draft on the CPU.
 * Both cost time alone.
 */
export function draftChanges({ room }: Trials, levers: Levers, asked: Attempt): readonly Attempt[] {
  const draft = room.beside?.draft;
  const { launch } = asked;
  const { types, draftMax, draftFreed } = speculationOf(launch, draft);
  if (!types.some((type) => type.startsWith('draft-'))) return [];
  const fewer = Array.from({ length: Math.max(0, draftMax - 1) }, (_, i) => draftMax - 1 - i).map((tokens) =>
    changed(asked, { draftMax: tokens }, { kind: 'draft-tokens', tokens }),
  );
  const fitting = fewer.find((attempt) => levers.fits(attempt));
  const isMovable = draft !== undefined && !draftFreed && launch.accelerator !== 'cpu' && launch.draftDevice !== 'none';
  return [
    ...(fitting === undefined ? [] : [fitting]),
    ...(isMovable && launch.draftGpuLayers !== 0
      ? [changed(asked, { draftGpuLayers: 0 }, { kind: 'draft-on-cpu' })]
      : []),
  ];
}
