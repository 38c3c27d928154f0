import type { LaunchOptions } from '../../runtime/launch-options.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import type { GrowthPart, PartOwner } from '../memory-estimate.js';
import { partsOf } from '../parts.js';
import { type ContextOptions, planContext, type PlannedContext } from './plan-context.js';

const F32_BYTES = 4;

/** By how much compute buffers become larger; those that become smaller are not counted. */
export function bufferGrowth(of: PartOwner, { compute, placement }: PlannedContext, later: DeviceBytes): GrowthPart[] {
  const more: DeviceBytes = {
    gpus: later.gpus.map((bytes, i) => Math.max(0, bytes - (compute.bytes.gpus[i] ?? 0))),
    cpu: Math.max(0, later.cpu - compute.bytes.cpu),
  };
  return partsOf({ name: 'compute', of, accuracy: 'exact' }, more, placement.gpus).map(
    ({ bytes, device, gpu }): GrowthPart => ({
      name: 'compute',
      of,
      device,
      ...(gpu === undefined ? {} : { gpu }),
      maxBytes: bytes,
    }),
  );
}

/**
 * What a control vector makes of the model's buffers, which are reserved before it is set: at most one more output of a layer, and
 * one layer's vector, for a graph that does not say where it is added.
 */
export function steeringGrowth(context: PlannedContext, launch: LaunchOptions, options: ContextOptions): GrowthPart[] {
  const { shape, params, compute } = context;
  const { bytes, isSteered } = planContext(shape, launch, { ...options, steered: true }).compute;
  if (isSteered === true) return bufferGrowth('model', context, bytes);
  const mostBytes = (Math.min(params.nCtx, params.nUbatch) + 1) * shape.hparams.nEmbd * F32_BYTES;
  const more = (held: number): number => held + mostBytes;
  return bufferGrowth(
    'model',
    context,
    largerOf(bytes, { gpus: compute.bytes.gpus.map(more), cpu: more(compute.bytes.cpu) }),
  );
}
