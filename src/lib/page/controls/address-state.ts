import { CACHE_TYPES } from '../../runtime/launch-options.js';
import type { Controls } from './controls.js';

type Key = keyof Controls;

/** How each control is called in an address. */
const NAMES: Readonly<Record<Key, string>> = {
  ctxSize: 'ctx-size',
  slots: 'parallel',
  kvUnified: 'kv-unified',
  cacheTypeK: 'cache-type-k',
  cacheTypeV: 'cache-type-v',
  ubatchSize: 'ubatch-size',
  quantization: 'quantization',
  gpuLayers: 'gpu-layers',
  projector: 'projector',
  draft: 'draft',
  draftMax: 'spec-draft-n-max',
  totalBytes: 'system-memory',
  inUseBytes: 'in-use',
  fraction: 'memory-fraction',
  budgetBytes: 'memory-budget',
  gpuBytes: 'gpu-memory',
};

/** The most that an amount or a count may be, so that nobody's link asks for an endless estimate. */
const MOST_TOKENS = 2 ** 31 - 1;
const MOST_BYTES = 2 ** 53 - 1;
/** More than anybody drafts. */
const MOST_DRAFTED = 1024;
const AUTO = 'auto';

/** What differs from the check, as the part of an address after `#`; empty where nothing does. */
export function toFragment(controls: Controls, initial: Controls): string {
  const changed = (Object.keys(NAMES) as Key[]).filter((key) => controls[key] !== initial[key]);
  return changed.map((key) => `${NAMES[key]}=${encodeURIComponent(String(controls[key] ?? AUTO))}`).join('&');
}

/** The controls that an address states; what it spells wrongly, or what this page does not offer, is as it was checked. */
export function fromFragment(text: string, initial: Controls, quantizations: readonly string[]): Controls {
  const stated = new URLSearchParams(text.replace(/^#/, ''));
  const readers: Readonly<Record<Key, (value: string) => Controls[Key] | undefined>> = {
    ctxSize: (value) => whole(value, 1, MOST_TOKENS),
    slots: (value) => (value === AUTO ? null : whole(value, 1, MOST_TOKENS)),
    kvUnified: truth,
    cacheTypeK: cacheType,
    cacheTypeV: cacheType,
    ubatchSize: (value) => whole(value, 1, MOST_TOKENS),
    quantization: (value) => quantizations.find((name) => name === value),
    gpuLayers: (value) => whole(value, 0, MOST_TOKENS),
    projector: truth,
    draft: truth,
    draftMax: (value) => (value === AUTO ? null : whole(value, 0, MOST_DRAFTED)),
    totalBytes: (value) => whole(value, 0, MOST_BYTES),
    inUseBytes: (value) => whole(value, 0, MOST_BYTES),
    fraction: (value) => (value === AUTO ? null : share(value)),
    budgetBytes: (value) => (initial.budgetBytes === null ? undefined : whole(value, 0, MOST_BYTES)),
    gpuBytes: (value) => (initial.gpuBytes === null ? undefined : whole(value, 0, MOST_BYTES)),
  };
  const entries = (Object.keys(NAMES) as Key[]).map((key) => {
    const value = stated.get(NAMES[key]);
    const read = value === null ? undefined : readers[key](value);
    return [key, read === undefined ? initial[key] : read] as const;
  });
  return { ...initial, ...Object.fromEntries(entries) };
}

function whole(value: string, least: number, most: number): number | undefined {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  return number >= least && number <= most ? number : undefined;
}

function share(value: string): number | undefined {
  const number = Number(value);
  return value !== '' && number > 0 && number <= 1 ? number : undefined;
}

function truth(value: string): boolean | undefined {
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function cacheType(value: string) {
  return CACHE_TYPES.find((type) => type === value);
}
