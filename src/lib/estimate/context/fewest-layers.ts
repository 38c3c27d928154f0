import type { PlannedLayers } from './layers.js';
import type { Repeats } from '../ggml/repeats/settled-allocation.js';
import { repeatsAmong } from './repeats.js';

/** Which layers count as alike, and how many of them are planned. */
export interface Coverage {
  /** Two layers are alike if they and their neighbours up to so many layers away are of one kind. */
  readonly reach: number;
  /** So many of the layers that are alike, if there are as many. */
  readonly times: number;
}

/**
 * A sequence of layers in which each has the neighbours that it has in the model, as short as it becomes by leaving out
 * detours: stretches behind which the model goes on as it did before them, and of whose layers there are enough without them.
 * `kinds` is each layer's kind; none of `elsewhere` counts as repeating those before it.
 */
export function fewestLayers(
  kinds: readonly number[],
  { reach, times }: Coverage,
  elsewhere: readonly number[] = [],
): PlannedLayers {
  const groups = numbered(kinds.length, (layer) => neighbours(kinds, layer - reach, layer + reach));
  const ways = numbered(kinds.length, (layer) => neighbours(kinds, layer - reach + 1, layer + reach));
  const needed = tally(groups).map((count) => Math.min(times, count));
  const kept: number[] = [];
  const found = needed.map(() => 0);
  const count = (layer: number, by: number): void => {
    (found[groups[layer] as number] as number) += by;
  };
  for (let layer = 0; layer < kinds.length; layer++) {
    kept.push(layer);
    count(layer, 1);
    for (let end = 1; end < kept.length; end++) {
      if (ways[kept[end - 1] as number] !== ways[layer]) continue;
      const detour = kept.slice(end);
      for (const left of detour) count(left, -1);
      if (
        detour.every((left) => (found[groups[left] as number] as number) >= (needed[groups[left] as number] as number))
      ) {
        kept.length = end;
        break;
      }
      for (const left of detour) count(left, 1);
    }
  }
  return planned(groups, kept, reach, repeatsAmong(groups, [...kept, ...elsewhere], reach));
}

function planned(
  groups: readonly number[],
  layers: readonly number[],
  reach: number,
  repeats: readonly Repeats[],
): PlannedLayers {
  const lastOf: number[] = [];
  layers.forEach((layer, place) => (lastOf[groups[layer] as number] = place));
  const placeOf = groups.map((group) => lastOf[group] as number);
  layers.forEach((layer, place) => (placeOf[layer] = place));
  const leftOut = new Set(groups.keys());
  for (const layer of layers) leftOut.delete(layer);
  const groupOf = layers.map((layer) => groups[layer] as number);
  return { layers, leftOut, others: { groupOf, placeOf, reach, repeats } };
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
