import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { describeModel } from '../../src/lib/model/describe-model.js';
import { requantise } from '../../src/lib/model/quantization/quant-recipe.js';
import { RECIPE_NAMES } from '../../src/lib/model/quantization/recipes.js';
import { profileHeader, readProfile } from '../support/models/profile.js';

/** What `llama_model_quantize` of llama.cpp v0.5.0 says in a dry run: tensors of each type, and a digest of `name type`. */
interface DryRun {
  readonly profile: string;
  readonly quantization: string;
  /** Whether it was given an importance matrix. */
  readonly imatrix: boolean;
  readonly types: Readonly<Record<string, number>>;
  readonly names: string;
}

const DRY_RUNS = readFileSync(new URL('quantizations.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as DryRun);
const PROFILES = [...new Set(DRY_RUNS.map(({ profile }) => profile))];

test.each(PROFILES)('%s gets the types that llama-quantize gives it, in every quantization', (profile) => {
  const url = new URL(`profiles/${profile}.json`, import.meta.url);
  const shape = describeModel(profileHeader(readProfile(url.pathname)));
  const runs = DRY_RUNS.filter((run) => run.profile === profile);
  expect(runs.map(({ quantization }) => quantization)).toEqual(RECIPE_NAMES);
  for (const { quantization, types, names } of runs) {
    const made = [...(requantise(shape, quantization)?.tensors.values() ?? [])];
    const lines = made.map(({ name, type }) => `${name} ${type.name}`).sort();
    const counted: Record<string, number> = {};
    for (const { type } of made) counted[type.name] = (counted[type.name] ?? 0) + 1;
    expect([quantization, counted]).toEqual([quantization, types]);
    expect([quantization, digestOf(lines)]).toEqual([quantization, names]);
  }
});

function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}
