import { speculationOf } from '../../estimate/draft/speculation.js';
import { type Attempt, changed, type Levers } from './levers.js';
import type { Room, Trials } from './trials.js';

/**
 * What may be changed about how a launch drafts: the most of fewer tokens with which it fits, and the draft on the CPU.
 * Both cost time alone.
 */
export function draftChanges({ room }: Trials, levers: Levers, asked: Attempt): readonly Attempt[] {
  const fitting = fewerTokens(room, asked).find((attempt) => levers.fits(attempt));
  return [fitting, onCpu(room, asked)].filter((attempt) => attempt !== undefined);
}

/**
 * With the least that drafting can be brought to, one change after the other on top: a single token, then the draft on
 * the CPU too.
 */
export function leastDrafting({ room }: Trials, asked: Attempt): readonly Attempt[] {
  const single = fewerTokens(room, asked).at(-1);
  return [single, onCpu(room, asked), single && onCpu(room, single)].filter((attempt) => attempt !== undefined);
}

/** The most tokens first. */
function fewerTokens({ beside }: Room, asked: Attempt): readonly Attempt[] {
  const { types, draftMax } = speculationOf(asked.launch, beside?.draft);
  if (!types.some((type) => type.startsWith('draft-'))) return [];
  return Array.from({ length: Math.max(0, draftMax - 1) }, (_, i) => draftMax - 1 - i).map((tokens) =>
    changed(asked, { draftMax: tokens }, { kind: 'draft-tokens', tokens }),
  );
}

/** Undefined where no draft is loaded that stays, or none is on the GPU. */
function onCpu({ beside }: Room, asked: Attempt): Attempt | undefined {
  const { accelerator, draftDevice, draftGpuLayers } = asked.launch;
  const draft = beside?.draft;
  const isThere = draft !== undefined && !speculationOf(asked.launch, draft).draftFreed;
  const isMovable = isThere && accelerator !== 'cpu' && draftDevice !== 'none' && draftGpuLayers !== 0;
  return isMovable ? changed(asked, { draftGpuLayers: 0 }, { kind: 'draft-on-cpu' }) : undefined;
}
