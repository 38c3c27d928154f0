import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';
import type { ResolvedLaunch } from '../memory-estimate.js';

type RopeOptions = Pick<LaunchOptions, 'ropeScaling' | 'ropeFreqScale' | 'yarnOrigCtx'>;

/**
 * Tokens of one sequence that llama.cpp takes a model to be trained with: what the header says, or what YaRN scaling that is
 * not the header's own makes of it. llama-server cuts each slot to as many (`server_context_impl::n_ctx_slot`), though it takes
 * the memory for all. `llama_init_from_model` (`src/llama-context.cpp`, llama.cpp v0.5.0), in single precision as there.
 */
export function trainedContext(
  hparams: Pick<Hparams, 'nCtxTrain' | 'nCtxOrigYarn' | 'rope'>,
  launch: RopeOptions,
): number {
  const { nCtxTrain, nCtxOrigYarn, rope } = hparams;
  const scale = Math.fround(launch.ropeFreqScale || rope.freqScale);
  if ((launch.ropeScaling ?? rope.scaling) !== 'yarn' || scale === rope.freqScale || scale <= 0) return nCtxTrain;
  return Math.floor(Math.fround(Math.fround(launch.yarnOrigCtx || nCtxOrigYarn) / scale));
}

/**
 * The most tokens of all slots together that are of use, padded as llama.cpp pads a context: what the model was trained with, for each
 * slot where they do not share one cache.
 */
export function usefulContext(
  { hparams }: Pick<ModelShape, 'hparams'>,
  launch: RopeOptions,
  resolved?: Pick<ResolvedLaunch, 'slots' | 'kvUnified'>,
): number {
  const sequences = resolved === undefined || resolved.kvUnified ? 1 : resolved.slots;
  return Math.ceil(trainedContext(hparams, launch) / CONTEXT_STEP) * CONTEXT_STEP * sequences;
}
