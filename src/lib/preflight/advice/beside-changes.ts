import { type Speculation, speculationOf } from '../../estimate/draft/speculation.js';
import { usesDraft } from '../../runtime/options/draft-options.js';
import type { Change } from './advice.js';
import { changedLaunch } from './changed-launch.js';
import { type Attempt, COMPACT_CACHE, type Levers, UNQUANTIZED } from './levers.js';
import type { Room, Trials } from './trials.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/*
 * What may be changed of what is loaded beside the model: its projector, its draft, how much is drafted at a time.
 */

/** Each change that is possible alone; of fewer tokens the most with which it fits. */
export function besideChanges({ room }: Trials, levers: Levers, asked: Attempt): readonly Attempt[] {
  const attempts = [
    fewerTokens(room, asked).find((attempt) => levers.fits(attempt)),
    compactDraftCache(room, asked),
    ...otherDrafts(room, asked),
    draftOnCpu(room, asked),
    withoutDraft(room, asked),
    projectorOnCpu(room, asked),
    withoutProjector(room, asked),
  ];
  return attempts.filter((attempt) => attempt !== undefined);
}

/**
 * The launch with less beside the model than any single change leaves: each step of drafting less, with and without its projector.
 */
export function leastBeside({ room }: Trials, asked: Attempt): readonly Attempt[] {
  const bare = withoutProjector(room, asked);
  return [asked, ...(bare ? [bare] : [])].flatMap((attempt) => [attempt, ...leastDrafting(room, attempt)]).slice(1);
}

/** A single token, then the draft on the CPU, then both with a compact cache, then no draft. */
function leastDrafting(room: Room, asked: Attempt): readonly Attempt[] {
  const single = fewerTokens(room, asked).at(-1);
  const moved = draftOnCpu(room, asked);
  const both = single && draftOnCpu(room, single);
  const least = both ?? single ?? moved;
  return [single, moved, both, least && compactDraftCache(room, least), withoutDraft(room, asked)].filter(
    (attempt) => attempt !== undefined,
  );
}

function speculation({ beside }: Room, { launch }: Attempt): Speculation {
  return speculationOf(launch, beside?.draft);
}

/** The most tokens first. */
function fewerTokens(room: Room, asked: Attempt): readonly Attempt[] {
  const { types, draftMax } = speculation(room, asked);
  if (!types.some(usesDraft)) return [];
  return Array.from({ length: Math.max(0, draftMax - 1) }, (_, i) => draftMax - 1 - i).map((tokens) =>
    changed(asked, { kind: 'draft-tokens', tokens }),
  );
}

/** Of the draft, or of the model's own head; a cache of the model does not decide it. */
function compactDraftCache(room: Room, asked: Attempt): Attempt | undefined {
  const { types } = speculation(room, asked);
  const {
    draftCacheTypeK = SERVER_DEFAULTS.cacheType,
    draftCacheTypeV = SERVER_DEFAULTS.cacheType,
    flashAttn,
  } = asked.launch;
  const isPlain = UNQUANTIZED.test(draftCacheTypeK) || UNQUANTIZED.test(draftCacheTypeV);
  if (!types.some(usesDraft) || !isPlain || flashAttn === 'off') return undefined;
  return changed(asked, { kind: 'draft-cache-type', type: COMPACT_CACHE });
}

/** Smaller files of the same draft. */
function otherDrafts({ otherDrafts: others = [] }: Room, asked: Attempt): readonly Attempt[] {
  return others.map((variant) => changed(asked, { kind: 'draft-quantization', variant }));
}

/** Undefined where no draft is loaded that stays, or none is on the GPU. */
function draftOnCpu(room: Room, asked: Attempt): Attempt | undefined {
  const { accelerator, draftDevice, draftGpuLayers } = asked.launch;
  const isThere = room.beside?.draft !== undefined && !speculation(room, asked).draftFreed;
  const isMovable = isThere && accelerator !== 'cpu' && draftDevice !== 'none' && draftGpuLayers !== 0;
  return isMovable ? changed(asked, { kind: 'draft-on-cpu' }) : undefined;
}

/** Nor with the model's own head; types that draft from the text alone stay. */
function withoutDraft(room: Room, asked: Attempt): Attempt | undefined {
  const { draft, specTypes = [] } = asked.launch;
  if (room.beside?.draft === undefined && !speculation(room, asked).types.some(usesDraft)) return undefined;
  const types = specTypes.filter((type) => !usesDraft(type) && type !== 'none');
  return changed(asked, { kind: 'no-draft', types, isNamed: draft !== undefined && room.draftReason !== 'catalog' });
}

function hasProjector(room: Room, { launch }: Attempt): boolean {
  return room.beside?.projector !== undefined && (launch.mmproj !== undefined || launch.mmprojAuto !== false);
}

function projectorOnCpu(room: Room, asked: Attempt): Attempt | undefined {
  const { accelerator, mmprojOffload } = asked.launch;
  if (!hasProjector(room, asked) || accelerator === 'cpu' || mmprojOffload === false) return undefined;
  return changed(asked, { kind: 'projector-on-cpu' });
}

function withoutProjector(room: Room, asked: Attempt): Attempt | undefined {
  if (!hasProjector(room, asked)) return undefined;
  return changed(asked, { kind: 'projector', isNamed: asked.launch.mmproj !== undefined });
}

function changed(asked: Attempt, change: Change): Attempt {
  return { ...asked, launch: changedLaunch(asked.launch, [change]), changes: [...asked.changes, change] };
}
