import type { LaunchFiles } from '../estimate/estimate-launch.js';
import { type HeaderDigest, toDigest } from '../gguf/digest/digest.js';
import { headerOf } from '../model/describe-file.js';
import type { FileShape, ModelShape } from '../model/model-shape.js';
import { recipeVariants } from '../preflight/advice/variants.js';
import { layersAsChosen } from '../preflight/server-choice.js';
import type { MemoryCheck } from '../preflight/memory-check.js';
import { uncountedRemark } from '../preflight/check-memory.js';
import { loadedTexts } from '../report/words/loaded-text.js';
import { wordsWithoutSecrets } from '../secrets.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { redactedSource } from '../source/redacted-url.js';
import { type PageFiles, type PageInput, withoutInfinity } from './page-input.js';

/** What was typed to say which model is meant. */
export interface TypedModel {
  /** Quantizations that lie at the model's place, where that was asked; unset = any that has a recipe may be there. */
  readonly published?: readonly string[] | undefined;
  /** Where it was looked up, as words of the command line. */
  readonly modelOptions: readonly string[];
  readonly quantization: string | undefined;
}

/** What a page's answers rest on; undefined when the check did not get so far that there is something to show. */
export function pageInput(
  check: MemoryCheck,
  { modelOptions, quantization, published }: TypedModel,
): PageInput | undefined {
  const { model, launch, extraWords, verdict, estimate, shape, room, resolved } = check;
  if (shape === undefined || room === undefined || estimate === undefined) return undefined;
  const variants = (resolved === undefined ? [] : recipeVariants(shape, resolved, 'all')).filter(
    (variant) => published === undefined || published.includes(variant.quantization),
  );
  return {
    model: redactedSource(resolved?.isNamedFile === true ? check.source : model),
    modelOptions,
    askedQuantization: quantization ?? null,
    ownQuantization: shape.quantization,
    quantizations: variants.map((variant) => variant.quantization),
    source: redactedSource(check.source),
    files: digests({ model: shape, ...room.beside }),
    launch: withoutInfinity(withoutSecrets(launch)),
    extraWords: wordsWithoutSecrets(extraWords),
    draftReason: room.draftReason ?? null,
    loaded: loadedTexts(check),
    host: room.host,
    policy: room.policy,
    programs: check.programs ?? [],
    notes: [...verdict.warnings.filter((warning) => !estimate.notes.includes(warning)), ...layersNote(check)],
    uncounted: uncountedRemark(check.remarks, launch.accelerator) ?? null,
  };
}

/** The page recomputes with the layers that it shows, and llama-server would choose them anew. */
function layersNote(check: MemoryCheck): readonly string[] {
  const layers = layersAsChosen(check);
  if (layers === undefined) return [];
  const { largest } = check;
  const anew = largest === undefined ? '' : `, with which up to ${largest} tokens fit`;
  return [
    `the layers on the GPU are the ${layers} that llama-server chooses for the launch that was checked (--fit); it would choose others for another context${anew}`,
  ];
}

function digests({ model, projector, draft, adapters }: LaunchFiles & { readonly model: ModelShape }): PageFiles {
  return {
    model: digestOf(model),
    ...(projector && { projector: digestOf(projector) }),
    ...(draft && { draft: digestOf(draft) }),
    ...(adapters && { adapters: adapters.map(digestOf) }),
  };
}

function digestOf(shape: FileShape): HeaderDigest {
  return toDigest(headerOf(shape));
}

function withoutSecrets({ mmproj, draft, adapters, controlVectors, ...launch }: LaunchOptions): LaunchOptions {
  return {
    ...launch,
    ...(mmproj !== undefined && { mmproj: redactedSource(mmproj) }),
    ...(draft !== undefined && { draft: redactedSource(draft) }),
    ...(adapters && { adapters: adapters.map(redactedSource) }),
    ...(controlVectors && { controlVectors: controlVectors.map(redactedSource) }),
  };
}
