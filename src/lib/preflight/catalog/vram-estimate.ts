import type { CatalogFigures, ContextFigure } from './catalog-figures.js';

const GIB = 2 ** 30;
/** What `vram_estimate` says, in bytes; a single amount is what the entry takes at its own context. */
export interface VramEstimate {
  readonly lowBytes: number | undefined;
  readonly highBytes: number;
}

/**
 * true: holds at both contexts. contradicts-context: holds at a short context, but the entry's own takes more. wrong: does
 * not hold at a short context either, or is further from the figures than rounding explains.
 */
export type EstimateStatus = 'true' | 'contradicts-context' | 'wrong';

export interface EstimateJudgement {
  readonly status: EstimateStatus;
  /** Which end of the range is off. */
  readonly end: 'low' | 'high' | null;
  /** What the model takes beyond that end, in bytes; negative where the range says more than it takes. */
  readonly offBytes: number;
}

/** Reads `5-8GB` or `8GB`; GB is 2^30 bytes. Undefined for what is written otherwise. */
export function parseVramEstimate(text: string): VramEstimate | undefined {
  const [, first, second] = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?GB$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  if (second === undefined) return { lowBytes: undefined, highBytes: Number(first) * GIB };
  return { lowBytes: Number(first) * GIB, highBytes: Number(second) * GIB };
}

/** The range for these figures, in whole GB rounded outwards. */
export function formatVramEstimate({ short, own }: CatalogFigures): string {
  return `${Math.floor(short.requirementBytes / GIB)}-${Math.ceil(own.requirementBytes / GIB)}GB`;
}

/** Holds what an entry says against what it takes. */
export function judgeVramEstimate(
  { lowBytes, highBytes }: VramEstimate,
  { short, own }: CatalogFigures,
): EstimateJudgement {
  const highOff = own.requirementBytes - highBytes;
  if (highOff > 0) {
    const holdsShort = short.context < own.context && short.requirementBytes <= highBytes;
    return { status: holdsShort ? 'contradicts-context' : 'wrong', end: 'high', offBytes: highOff };
  }
  if (-highOff > rounding(own)) return { status: 'wrong', end: 'high', offBytes: highOff };
  const lowOff = lowBytes === undefined ? 0 : short.requirementBytes - lowBytes;
  if (lowOff < 0 || lowOff > rounding(short)) return { status: 'wrong', end: 'low', offBytes: lowOff };
  return TRUE;
}

const TRUE: EstimateJudgement = { status: 'true', end: null, offBytes: 0 };

/** How far outside the figure a range may end: a whole GB, as it is rounded to, or a share of a large model. */
function rounding({ requirementBytes }: ContextFigure): number {
  return Math.max(GIB, requirementBytes * 0.05);
}
