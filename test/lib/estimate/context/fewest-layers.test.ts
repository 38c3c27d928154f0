import { describe, expect, test } from '@jest/globals';
import { type Coverage, fewestLayers } from '../../../../src/lib/estimate/context/fewest-layers.js';

/** Layers by their kinds' letters; the planned ones as letters. */
function plannedOf(model: string, coverage: Coverage): string {
  const { layers } = fewestLayers(kindsOf(model), coverage);
  return layers.map((layer) => model[layer]).join('');
}

function kindsOf(model: string): number[] {
  return [...model].map((letter) => letter.charCodeAt(0));
}

/** A layer with those around it. */
function surroundings(model: string, layer: number, reach: number): string {
  const padded = `${'<'.repeat(reach)}${model}${'>'.repeat(reach)}`;
  return padded.slice(layer, layer + 2 * reach + 1);
}

const MODELS = [
  'S'.repeat(64),
  'SSSSSF'.repeat(10) + 'SS',
  'MMMMMAMMMM'.repeat(4),
  'LLLF'.repeat(6) + 'lllf'.repeat(6),
  'MEMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME',
  'DDDAABAABCCAABAABCCCAABAABE',
  'ABCDEFG',
  'A',
];
const COVERAGES: Coverage[] = [
  { reach: 1, times: 2 },
  { reach: 2, times: 3 },
  { reach: 4, times: 2 },
];

describe('the fewest layers that stand for all', () => {
  test('of a model of one kind of layer are its ends and two between them', () => {
    expect(fewestLayers(kindsOf('S'.repeat(64)), { reach: 1, times: 2 }).layers).toEqual([0, 1, 2, 63]);
  });

  test('have each change of kinds twice, whatever the period', () => {
    expect(plannedOf('SSSSSF'.repeat(10) + 'SS', { reach: 1, times: 2 })).toBe('SSSSFSSFSS');
    expect(plannedOf('MMMMMAMMMM'.repeat(4), { reach: 1, times: 2 })).toBe('MMMMAMMAMM');
  });

  test('are all of them where each is of its own kind', () => {
    expect(plannedOf('ABCDEFG', { reach: 1, times: 2 })).toBe('ABCDEFG');
  });

  test.each(MODELS.flatMap((model) => COVERAGES.map((coverage) => [model, coverage] as const)))(
    'of %s with %j have the neighbours that they have in the model, each kind of neighbourhood as often as asked',
    (model, coverage) => {
      const { layers, leftOut, others } = fewestLayers(kindsOf(model), coverage);
      const planned = layers.map((layer) => model[layer]).join('');
      const inModel = [...model].map((_, layer) => surroundings(model, layer, coverage.reach));
      const inPlan = layers.map((_, place) => surroundings(planned, place, coverage.reach));
      expect(inPlan).toEqual(layers.map((layer) => inModel[layer]));
      expect(others.placeOf.map((place) => inPlan[place])).toEqual(inModel);
      for (const kind of inModel) {
        const count = (list: readonly string[]): number => list.filter((other) => other === kind).length;
        expect(count(inPlan)).toBeGreaterThanOrEqual(Math.min(coverage.times, count(inModel)));
      }
      expect([...layers, ...leftOut].sort((a, b) => a - b)).toEqual([...model].map((_, layer) => layer));
    },
  );
});
