import type { CatalogEntry } from '../../catalog/catalog.js';
import { CheckIncompleteError } from '../../errors.js';
import { estimateLaunch } from '../../estimate/estimate-launch.js';
import { totalBytes } from '../../estimate/memory-estimate.js';
import type { GgufHeader } from '../../gguf/header.js';
import { describeModel } from '../../model/describe-model.js';
import { describeShape } from '../../model/describe-shape.js';
import { kindName, type Shape } from '../../model/model-shape.js';
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

/** The headers of what an entry loads. */
export interface EntryHeaders {
  readonly model: GgufHeader;
  readonly projector?: GgufHeader | undefined;
  readonly draft?: GgufHeader | undefined;
}

/**
 * What llama-server takes on Metal when it has started, host and GPU together, with the entry's own quantization, GPU layers, mode,
 * projector and draft.
 * @throws CheckIncompleteError when a header is not what its place in the entry wants.
 */
export function catalogFigures(entry: CatalogEntry, headers: EntryHeaders): CatalogFigures {
  const files = {
    model: describeModel(headers.model),
    projector: headers.projector && kindOf('projector', headers.projector),
    draft: headers.draft && kindOf('model', headers.draft),
  };
  const { launch } = combineLaunch({
    accelerator: 'metal',
    defaults: catalogDefaults(entry),
    flags: {},
    extraArgs: [],
  });
  const at = (ctxSize?: number): ContextFigure => {
    const estimate = estimateLaunch(files, ctxSize === undefined ? launch : { ...launch, ctxSize });
    return { context: estimate.resolved.nCtx, requirementBytes: totalBytes(estimate) };
  };
  const own = at();
  return { own, short: own.context <= SHORT_CONTEXT ? own : at(SHORT_CONTEXT) };
}

function kindOf<K extends Shape['kind']>(kind: K, header: GgufHeader): Extract<Shape, { kind: K }> {
  const shape = describeShape(header);
  if (shape.kind === kind) return shape as Extract<Shape, { kind: K }>;
  const [code, place] = kind === 'projector' ? ['PROJECTOR_EXPECTED', 'mmproj'] : ['DRAFT_EXPECTED', 'draft'];
  throw new CheckIncompleteError(code, `the file that ${place} names is ${kindName(shape)}; name another`);
}
