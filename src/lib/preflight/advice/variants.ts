import { UsageError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import { atLeastAsLong, requantise } from '../../model/quantization/quant-recipe.js';
import { isOffered, RECIPE_NAMES, RECIPES } from '../../model/quantization/recipes.js';
import { parseModelSource } from '../../source/model-source.js';
import type { SiblingFile } from '../../source/hub/siblings.js';
import { LEAST_PROPOSED_BITS, type ModelVariant } from './advice.js';
import { withQuantization, type ResolvedModel } from '../resolve-model.js';

/** Quantizations that lie at a model's own place, sized as they are published. */
export function listedVariants(
  shape: ModelShape,
  resolved: ResolvedModel,
  siblings: readonly SiblingFile[],
  which: 'smaller' | 'all' = 'smaller',
): readonly ModelVariant[] {
  return siblings.flatMap((sibling): readonly ModelVariant[] => {
    const { quantization, bytes } = sibling;
    const isWanted = bytes !== undefined && (which === 'all' ? bytes !== shape.fileBytes : bytes < shape.fileBytes);
    if (!isWanted || (bytes * 8) / shape.parameterCount < LEAST_PROPOSED_BITS) return [];
    const own = sizedVariant(shape, quantization, bytes);
    if (own === undefined) return [];
    const named = leadsTo(resolved, sibling) ? {} : { model: sibling.source, file: sibling.file };
    return [{ quantization, shape: own, isProven: false, isEstimated: true, ...named }];
  });
}

/**
 * Quantizations as their recipes would make them, whether or not anyone has published them. `smaller` and `all` keep to
 * those that publishers usually offer and that answer well; `every` has all that have a recipe.
 */
export function recipeVariants(
  shape: ModelShape,
  resolved: ResolvedModel,
  which: 'smaller' | 'all' | 'every' = 'smaller',
): readonly ModelVariant[] {
  const own = RECIPE_NAMES.indexOf(shape.quantization);
  const names = which === 'smaller' ? RECIPE_NAMES.slice(own + 1) : RECIPE_NAMES.filter((_, index) => index !== own);
  const wanted = names.filter((name) => (which === 'every' ? RECIPES[name]?.isTrained !== true : isOffered(name)));
  return wanted.flatMap((quantization): readonly ModelVariant[] => {
    if (sourceFor(resolved, quantization) === undefined) return [];
    const other = requantise(shape, quantization);
    return other === undefined || (which === 'smaller' && other.fileBytes >= shape.fileBytes)
      ? []
      : [{ quantization, shape: other, isProven: false, isEstimated: true }];
  });
}

/** By its own recipe, or the largest that is smaller, and in either case at least as long as published. */
export function sizedVariant(shape: ModelShape, quantization: string, fileBytes: number): ModelShape | undefined {
  const own = requantise(shape, quantization);
  if (own !== undefined) return atLeastAsLong(own, fileBytes);
  for (const name of RECIPE_NAMES) {
    const like = requantise(shape, name);
    if (like !== undefined && like.fileBytes <= fileBytes) {
      return { ...atLeastAsLong(like, fileBytes), quantization };
    }
  }
  return undefined;
}

/** Where `--quantization` would read it, if anywhere. */
function sourceFor(resolved: ResolvedModel, quantization: string): string | undefined {
  try {
    return withQuantization(resolved, quantization).source;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function leadsTo(resolved: ResolvedModel, { quantization, source, isTagged }: SiblingFile): boolean {
  const text = sourceFor(resolved, quantization);
  if (text === undefined) return false;
  const led = parseModelSource(text);
  if (led.kind === 'hf' && led.file === undefined) return isTagged;
  return JSON.stringify(led) === JSON.stringify(parseModelSource(source));
}
