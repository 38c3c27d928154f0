import type { GgufHeader } from '../gguf/header.js';
import { describeModel } from '../model/describe-model.js';
import type { ModelShape } from '../model/model-shape.js';
import { requantiseHeader } from '../model/quantization/quant-recipe.js';
import { RECIPE_NAMES } from '../model/quantization/recipes.js';
import { isUnreachable, type ModelHeader } from '../source/model-header.js';
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
 * the source cannot be asked. Undefined when there is none at hand, or no recipe.
 * @param readOffline reads what was read before, or what ships with this program
 * @throws UsageError UNKNOWN_QUANTIZATION for a part of a name, such as Q8
 */
export async function requantisedHeader(
  model: ResolvedModel,
  readOffline: (model: ResolvedModel) => Promise<ModelHeader>,
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
  if (header === undefined) return undefined;
  const note = `source not read: ${quantization} was worked out from the header of ${shape.quantization} by llama.cpp's recipe, which publishers may leave`;
  return { header, origin: known.origin, derived: true, notes: [note] };
}

/** Publishers have tags of their own, which are longer than llama.cpp's names and not shorter. */
function isPartOfName(quantization: string): boolean {
  const name = quantization.toUpperCase();
  return !RECIPE_NAMES.includes(name) && RECIPE_NAMES.some((recipe) => recipe.startsWith(`${name}_`));
}
