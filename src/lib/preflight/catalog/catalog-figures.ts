import type { CatalogEntry } from '../../catalog/catalog.js';
import { estimateMemory } from '../../estimate/estimate-memory.js';
import { totalBytes } from '../../estimate/memory-estimate.js';
import type { GgufHeader } from '../../gguf/header.js';
import { describeModel } from '../../model/describe-model.js';
import { combineLaunch } from '../../runtime/combine-launch.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import { catalogDefaults } from '../plan-check.js';

/** The context that every entry's requirement is also given at, in tokens. */
export const SHORT_CONTEXT = 8192;

/** The llama.cpp that every entry's figures are for. */
export const FIGURES_LLAMA_CPP = llamaCpp().name;

export interface ContextFigure {
  /** Tokens. */
  readonly context: number;
  readonly requirementBytes: number;
}

/** What an entry takes when it is deployed as it stands, and with a short context. */
export interface CatalogFigures {
  /** At 8192 tokens, or at the entry's own context where that is less. */
  readonly short: ContextFigure;
  /** At the context that a deployment gets when it names none. */
  readonly own: ContextFigure;
}

/**
 * What llama-server takes on Metal, host and GPU together, with the entry's own quantization, GPU layers and mode.
 * @throws CheckIncompleteError when the header is not that of a language model.
 */
export function catalogFigures(entry: CatalogEntry, header: GgufHeader): CatalogFigures {
  const shape = describeModel(header);
  const { launch } = combineLaunch({
    accelerator: 'metal',
    defaults: catalogDefaults(entry),
    flags: {},
    extraArgs: [],
  });
  const at = (ctxSize?: number): ContextFigure => {
    const estimate = estimateMemory(shape, ctxSize === undefined ? launch : { ...launch, ctxSize });
    return { context: estimate.resolved.nCtx, requirementBytes: totalBytes(estimate) };
  };
  const own = at();
  return { own, short: own.context <= SHORT_CONTEXT ? own : at(SHORT_CONTEXT) };
}
