import type { PlannedLayers, StandIns } from './layers.js';

/** Which layers count as alike, and how many of them are planned. */
export interface Coverage {
  /** Two layers are alike if they and their neighbours up to so many layers away are of one kind. */
  readonly reach: number;
  /** So many of the layers that are alike, if there are as many. */
  readonly times: number;
}

/** Layers that are enough, before it is known which of the others do what those before them did. */
export interface FewestLayers extends Omit<PlannedLayers, 'others'> {
  readonly others: Omit<StandIns, 'repeats'>;
  /** Of each of the model's layers, a number that those have with the same neighbours. */
  readonly groups: readonly number[];
}

/**
 * A sequence of layers in which each has the neighbours that it has in the model, as short as it becomes by leaving out
 * detours: stretches behind which the model goes on as it did before them, and of whose layers there are enough without them.
 * `kinds` is each layer's kind.
 */
export function fewestLayers(kinds: readonly number[], { reach, times }: Coverage): FewestLayers {
  const groups = numbered(kinds.length, (layer) => neighbours(kinds, layer - reach, layer + reach));
  const ways = numbered(kinds.length, (layer) => neighbours(kinds, layer - reach + 1, layer + reach));
  const needed = tally(groups).map((count) => Math.min(times, count));
  const found = needed.map(() => 0);
  const kept: number[] = [];
  for (let layer = 0; layer < kinds.length; layer++) {
    kept.push(layer);
    (found[groups[layer] as number] as number)++;
    // Of a detour that can be left out, every shorter one can, too.
    let end = kept.length;
    let start = end;
    while (start > 1) {
      const group = groups[kept[start - 1] as number] as number;
      if ((found[group] as number) <= (needed[group] as number)) break;
      (found[group] as number)--;
      start--;
      if (ways[kept[start - 1] as number] === ways[layer]) end = start;
    }
    for (; start < end; start++) (found[groups[kept[start] as number] as number] as number)++;
    kept.length = end;
  }
  return planned(groups, kept, reach);
}

function planned(groups: readonly number[], layers: readonly number[], reach: number): FewestLayers {
  const lastOf: number[] = [];
  layers.forEach((layer, place) => (lastOf[groups[layer] as number] = place));
  const placeOf = groups.map((group) => lastOf[group] as number);
  layers.forEach((layer, place) => (placeOf[layer] = place));
  const leftOut = new Set(groups.keys());
  for (const layer of layers) leftOut.delete(layer);
  const groupOf = layers.map((layer) => groups[layer] as number);
  return { layers, leftOut, groups, others: { groupOf, placeOf, reach } };
}

function neighbours(kinds: readonly number[], from: number, to: number): string {
  let text = '';
  for (let layer = from; layer <= to; layer++) text += `${kinds[layer] ?? (layer < 0 ? 'before' : 'behind')} `;
  return text;
}

/** Of so many layers, numbers from 0 on that are the same for those of which `key` says the same. */
export function numbered(layers: number, key: (layer: number) => string): readonly number[] {
  const numbers = new Map<string, number>();
  return Array.from({ length: layers }, (_, layer) => {
    const text = key(layer);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
}

/** How often each number is there. */
function tally(numbers: readonly number[]): readonly number[] {
  const counts: number[] = [];
  for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}
