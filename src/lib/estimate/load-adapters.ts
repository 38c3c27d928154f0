import type { AdapterShape, ModelShape } from '../model/model-shape.js';
import { UsageError } from '../errors.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { type Device, type DeviceBytes, DeviceTally } from './ggml/device.js';
import { F32 } from './ggml/tensor.js';
import { type Adapters, placeAdapter } from './graph/loaded/adapters.js';
import type { EstimatePart } from './memory-estimate.js';
import { accuracyBeside, partsOf } from './parts.js';
import { Placement } from './weights/placement.js';

/** What adapters hold, and those that the graph has products of. */
export interface LoadedAdapters {
  readonly parts: readonly EstimatePart[];
  readonly applied: Adapters;
  /** A control vector is set. */
  readonly steers: boolean;
}

/**
 * `llama_adapter_lora_init_impl` and `llama_adapter_cvec::init` (`src/llama-adapter.cpp`, llama.cpp v0.5.0): factors as they are in
 * the file, never mapped; a control vector has a row for every layer but the first.
 * @throws UsageError for an adapter of another model
 */
export function loadAdapters(
  adapters: readonly AdapterShape[],
  shape: ModelShape,
  launch: LaunchOptions,
): LoadedAdapters {
  const placement = Placement.of(shape, launch);
  const tally = new DeviceTally();
  const placed = adapters
    .filter(({ architecture }) => architecture !== 'controlvector')
    .map((adapter) => placeAdapter(adapter, shape, placement));
  for (const { tensor, buffer } of placed.flat())
    tally.add(buffer.device, placement.copiedBytes(tensor, buffer.device));
  const vectors = adapters.filter(({ architecture }) => architecture === 'controlvector');
  for (const vector of vectors) requireDirections(vector, shape);
  const steers = launch.controlVector === true || vectors.length > 0;
  if (steers) addControlVector(tally, shape, placement);
  const bytes: DeviceBytes = tally;
  return {
    parts: partsOf({ name: 'weights-copy', of: 'adapter', accuracy: accuracyBeside(launch) }, bytes, placement.gpus),
    applied: launch.adapterScale === 0 ? [] : placed,
    steers,
  };
}

/** `common_control_vector_load_one` (`common/common.cpp`), `llama_adapter_cvec::apply`. */
function requireDirections({ tensors }: AdapterShape, { hparams }: ModelShape): void {
  const wrong = [...tensors.values()].find(
    ({ name, type, dims }) =>
      !/^direction\.0*[1-9]\d*/.test(name) || type.name !== F32.name || dims.length > 1 || dims[0] !== hparams.nEmbd,
  );
  if (wrong === undefined && tensors.size > 0) return;
  throw new UsageError(
    'LAUNCH_ADAPTER_MISMATCH',
    `llama.cpp refuses this control vector: ${wrong === undefined ? 'it has no directions' : `${JSON.stringify(wrong.name)} is no direction of ${hparams.nEmbd} numbers`}; name one that was made for this model.`,
  );
}

function addControlVector(tally: DeviceTally, { hparams }: ModelShape, placement: Placement): void {
  for (let layer = 1; layer < hparams.nLayer; layer++) {
    const device: Device = placement.layerDevice(layer);
    tally.add(device, placement.copiedBytes({ type: F32, dims: [hparams.nEmbd] }, device));
  }
}
