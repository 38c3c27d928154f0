import { CheckIncompleteError, LlmkubeError } from '../errors.js';
import { estimateLaunch, type LaunchFiles } from '../estimate/estimate-launch.js';
import type { HeaderDigest } from '../gguf/digest/digest.js';
import { fromDigest } from '../gguf/digest/read-digest.js';
import { describeHeader } from '../model/describe-model.js';
import { describeShape } from '../model/describe-shape.js';
import type { ModelShape, Shape } from '../model/model-shape.js';
import { requantise } from '../model/quantization/quant-recipe.js';
import type { ModelVariant } from '../preflight/advice/advice.js';
import { besideOf, type Room, Trials } from '../preflight/advice/trials.js';
import { judge, limitsOf } from '../preflight/judge/judge.js';
import { onMachine } from '../preflight/judge/on-machine.js';
import type { CompletedVerdict } from '../preflight/judge/verdict.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { type Controls, hostWith, launchWith, policyWith } from './controls/controls.js';
import type { PageFiles, PageInput } from './page-input.js';

/** A model in a page, ready to be asked. */
export interface PageModel {
  readonly input: PageInput;
  readonly shape: ModelShape;
  readonly beside: Omit<LaunchFiles, 'model'>;
  /** Worked out by recipe, largest first. */
  readonly variants: readonly ModelVariant[];
}

/** What holds for the controls: a verdict, or why llama-server would not run that launch. */
export type PageAnswer =
  | { readonly kind: 'judged'; readonly verdict: CompletedVerdict }
  | { readonly kind: 'refused'; readonly reason: string };

/** What the controls ask: of which file, on which machine. */
interface Question {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly trials: Trials;
}

export function pageModel(input: PageInput): PageModel {
  const shape = { ...describeHeader(fromDigest(input.files.model)), quantization: input.ownQuantization };
  const variants = input.quantizations.flatMap((quantization): ModelVariant[] => {
    const other = requantise(shape, quantization);
    return other === undefined ? [] : [{ quantization, shape: other, isProven: false, isEstimated: true }];
  });
  return { input, shape, beside: filesBeside(input.files), variants };
}

function filesBeside({ projector, draft, adapters }: PageFiles): Omit<LaunchFiles, 'model'> {
  const described = <K extends Shape['kind']>(digest: HeaderDigest | undefined, kind: K) => {
    const shape = digest && describeShape(fromDigest(digest));
    return shape?.kind === kind ? (shape as Extract<Shape, { kind: K }>) : undefined;
  };
  return {
    projector: described(projector, 'projector'),
    draft: described(draft, 'model'),
    adapters: adapters?.flatMap((digest) => described(digest, 'adapter') ?? []),
  };
}

/** A quantization other than the one that was checked is as its recipe makes it. */
export function questionOf({ input, shape, beside, variants }: PageModel, controls: Controls): Question {
  const variant = variants.find(({ quantization }) => quantization === controls.quantization);
  const host = hostWith(input, controls);
  const room: Room = { host, policy: policyWith(controls), beside, draftReason: input.draftReason ?? undefined };
  return { shape: variant?.shape ?? shape, launch: launchWith(input, controls), trials: new Trials(room) };
}

/** The same estimate and the same judgement as `check-memory` gives for these settings. */
export function answer(model: PageModel, controls: Controls): PageAnswer {
  const { shape, launch, trials } = questionOf(model, controls);
  const { host, policy } = trials.room;
  try {
    const estimate = estimateLaunch({ ...besideOf(trials.room, launch), model: shape }, onMachine(launch, host));
    const limits = limitsOf(estimate, launch.accelerator, host, policy);
    return { kind: 'judged', verdict: judge(estimate, limits) };
  } catch (error) {
    if (error instanceof LlmkubeError) return { kind: 'refused', reason: reasonOf(error) };
    throw error;
  }
}

function reasonOf(error: LlmkubeError): string {
  return error instanceof CheckIncompleteError ? `this launch cannot be checked: ${error.message}` : error.message;
}
