import type { GgufHeader } from '../gguf/header.js';
import { UsageError } from '../errors.js';
import { looksLikeQuantization } from '../gguf/names/file-name.js';
import { describeModel } from '../model/describe-model.js';
import type { ModelShape } from '../model/model-shape.js';
import { requantise, requantiseHeader } from '../model/quantization/quant-recipe.js';
import { isOffered, RECIPE_NAMES } from '../model/quantization/recipes.js';
import { shown } from '../printable.js';
import { isUnreachable, type ModelHeader } from '../source/model-header.js';
import { SourceError } from '../source/source-error.js';
import { noQuantization, type ResolvedModel } from './resolve-model.js';

/** Several quantizations of one header are worked out one after another. */
const DESCRIBED = new WeakMap<GgufHeader, ModelShape>();

function described(header: GgufHeader): ModelShape {
  const shape = DESCRIBED.get(header) ?? describeModel(header);
  DESCRIBED.set(header, shape);
  return shape;
}

/**
 * The header of another quantization than the one whose header is at hand, worked out by llama.cpp's recipe; for when
 * the source cannot be asked. Undefined when there is none at hand, or no recipe for one that was only proposed.
 * @param readOffline reads what was read before, or what ships with this program
 * @param problem why the source was not read
 * @throws UsageError UNKNOWN_QUANTIZATION for a part of a name, such as Q8, and for what is named like no quantization
 * @throws SourceError the problem, with what can be worked out, where there is no recipe
 */
export async function requantisedHeader(
  model: ResolvedModel,
  readOffline: (model: ResolvedModel) => Promise<ModelHeader>,
  problem: SourceError,
): Promise<ModelHeader | undefined> {
  const { entry, original, quantization } = model;
  if (original === undefined || quantization === undefined) return undefined;
  if (isPartOfName(quantization)) throw noQuantization(quantization);
  const known = await readOffline({ entry, ...original }).catch((error: unknown) => {
    if (isUnreachable(error)) return undefined;
    throw error;
  });
  if (known === undefined) return undefined;
  const shape = described(known.header);
  const header = requantiseHeader(known.header, shape, quantization);
  if (header === undefined) {
    if (model.isTried === true) return undefined;
    throw notAtHand(model, quantization, shape, problem);
  }
  const note = `source not read: ${quantization} was worked out from the header of ${shape.quantization} by llama.cpp's recipe, which publishers may leave`;
  return { header, origin: known.origin, derived: true, notes: [note] };
}

/** What there is instead of a quantization that nothing at hand tells. */
function notAtHand(model: ResolvedModel, wanted: string, shape: ModelShape, problem: SourceError): Error {
  const others = RECIPE_NAMES.filter((name) => isOffered(name) && requantise(shape, name) !== undefined);
  const there = RECIPE_NAMES.filter((name) => name === shape.quantization || others.includes(name));
  const names = there.includes(shape.quantization) ? there : [shape.quantization, ...there];
  const suggestions = [`without its source, ${shown(nameOf(model))} can be checked as ${names.map(shown).join(', ')}`];
  if (looksLikeQuantization(wanted))
    return new SourceError(problem.code, problem.message, { cause: problem, suggestions });
  return new UsageError('UNKNOWN_QUANTIZATION', `there is no quantization ${shown(wanted)}`, { suggestions });
}

function nameOf({ entry, original, source }: ResolvedModel): string {
  return entry?.id ?? original?.source ?? source;
}

/** Publishers have tags of their own, which are longer than llama.cpp's names and not shorter. */
function isPartOfName(quantization: string): boolean {
  const name = quantization.toUpperCase();
  return !RECIPE_NAMES.includes(name) && RECIPE_NAMES.some((recipe) => recipe.startsWith(`${name}_`));
}
