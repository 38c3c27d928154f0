import { trainedContext } from '../estimate/context/trained-context.js';
import { isDiscrete } from './judge/judge.js';
import { planGpus } from '../estimate/devices.js';
import type { ResolvedLaunch } from '../estimate/memory-estimate.js';
import type { ModelShape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { CONTEXT_STEP } from '../runtime/server-defaults.js';

/** What llama-server makes of a launch that its user may not expect, a sentence each. */
export function launchNotes(
  { hparams }: ModelShape,
  launch: LaunchOptions,
  resolved: ResolvedLaunch,
): readonly string[] {
  const { nCtx, nCtxSeq, slots, nBatch, nUbatch, flashAttn, cacheTypeK, cacheTypeV } = resolved;
  const trained = trainedContext(hparams, launch);
  const { ubatchSize = 0, flashAttn: asked = 'auto' } = launch;
  const notes: string[] = [];
  // The context of a slot is padded, so what is asked for may be passed by a little.
  if (nCtxSeq >= trained + CONTEXT_STEP) {
    const each = slots === 1 ? '' : ' in each slot';
    const slot = nCtxSeq === nCtx ? '' : ' in each slot';
    notes.push(
      `${nCtxSeq} tokens${slot} are more than the ${trained} that the model was trained with: llama-server takes the memory for all of them and serves no more than ${trained}${each}`,
    );
  }
  if (ubatchSize > nUbatch && nBatch === nUbatch) {
    notes.push(`an ubatch of ${ubatchSize} counts as ${nUbatch}, for it is never larger than the batch`);
  }
  if (asked === 'auto' && !flashAttn && cacheTypeK !== cacheTypeV) {
    notes.push(
      `flash attention is off, since the K cache (${cacheTypeK}) and the V cache (${cacheTypeV}) differ: that takes more memory than both alike`,
    );
  }
  return [...notes, ...splitNotes(launch)];
}

/** What says how GPUs share a model, where llama-server does not look at it (`load_tensors`, `llama_prepare_model_devices`). */
function splitNotes(launch: LaunchOptions): readonly string[] {
  const { accelerator, gpus, devices, tensorSplit = [], mainGpu = 0, splitMode = 'layer' } = launch;
  if (isDiscrete(accelerator) && gpus === undefined && devices === undefined) return [];
  const { used } = planGpus(launch);
  const many = `${used.length} GPU${used.length === 1 ? '' : 's'}`;
  const isSplit = tensorSplit.some((share) => share !== 0);
  const idle: string[] = [];
  if (isSplit && used.length < 2)
    idle.push(`--tensor-split has no effect with ${used.length === 0 ? 'no GPU' : 'one GPU'}`);
  else if (tensorSplit.length > used.length)
    idle.push(`--tensor-split has ${tensorSplit.length} shares for ${many}: the last ones have no effect`);
  if (mainGpu !== 0 && splitMode !== 'none') idle.push(`--main-gpu ${mainGpu} has no effect without --split-mode none`);
  return idle;
}
