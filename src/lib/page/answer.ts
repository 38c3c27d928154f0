import { CheckIncompleteError, LlmkubeError } from '../errors.js';
import { estimateMemory } from '../estimate/estimate-memory.js';
import { withAdditions } from '../estimate/memory-estimate.js';
import { fromDigest } from '../gguf/read-digest.js';
import { describeHeader } from '../model/describe-model.js';
import type { ModelShape } from '../model/model-shape.js';
import { judge, limitsOf } from '../preflight/judge.js';
import { onMachine } from '../preflight/on-machine.js';
import type { CompletedVerdict } from '../preflight/verdict.js';
import { type Controls, hostWith, launchWith, policyWith } from './controls.js';
import type { PageInput } from './page-input.js';

/** A model in a page, ready to be asked. */
export interface PageModel {
  readonly input: PageInput;
  readonly shape: ModelShape;
}

/** What holds for the controls: a verdict, or why llama-server would not run that launch. */
export type PageAnswer =
  | { readonly kind: 'judged'; readonly verdict: CompletedVerdict }
  | { readonly kind: 'refused'; readonly reason: string };

export function pageModel(input: PageInput): PageModel {
  return { input, shape: describeHeader(fromDigest(input.digest)) };
}

/** The same estimate and the same judgement as `check-memory` gives for these settings. */
export function answer({ input, shape }: PageModel, controls: Controls): PageAnswer {
  const launch = launchWith(input, controls);
  try {
    const host = hostWith(input, controls);
    const estimate = withAdditions(estimateMemory(shape, onMachine(launch, host)), input.beside);
    const limits = limitsOf(estimate, launch.accelerator, host, policyWith(controls));
    return { kind: 'judged', verdict: judge(estimate, limits) };
  } catch (error) {
    if (error instanceof LlmkubeError) return { kind: 'refused', reason: reasonOf(error) };
    throw error;
  }
}

function reasonOf(error: LlmkubeError): string {
  return error instanceof CheckIncompleteError ? `this launch cannot be checked: ${error.message}` : error.message;
}
