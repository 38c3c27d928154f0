import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions, TensorOverride } from '../../runtime/launch-options.js';
import { planGpus } from '../devices.js';
import { deviceName } from '../../runtime/options/device-options.js';
import type { DryRun } from './dry-run.js';

/** What is known before anything is changed. */
export interface FitProblem {
  readonly shape: ModelShape;
  /** With a context, asked for or aimed at. */
  readonly launch: LaunchOptions;
  readonly nLayers: number;
  readonly hasExperts: boolean;
  /** Free memory less what is to stay free, of each GPU, or without one of the host. */
  readonly targets: readonly number[];
  readonly measure: (launch: LaunchOptions) => DryRun;
}

/** What goes elsewhere of a layer that is not whole: `common_layer_fraction_t` (`common/fit.cpp`, llama.cpp v0.5.0). */
export type Overflow = 'experts' | 'up-stays' | 'up-and-gate-stay' | 'attention-stays';

/** The layers of one device: from the first, whole ones; then those that are not. */
export interface DeviceLayers {
  readonly layers: number;
  readonly partial: number;
  /** Of the first layer that is not whole; of all others the experts. */
  readonly overflow: Overflow;
  /** Where that goes: the next device, or the host. */
  readonly overflowsToNext: boolean;
}

export type LayerSplit = readonly DeviceLayers[];

/** A split that was measured: bytes on each device. */
export interface MeasuredSplit {
  readonly split: LayerSplit;
  readonly bytes: readonly number[];
}

/** Measures where a split puts what. */
export type MeasureSplit = (split: LayerSplit) => MeasuredSplit;

/** `get_overflow_pattern` (`common/fit.cpp`). */
const PATTERNS: Readonly<Record<Overflow, string>> = {
  'attention-stays': String.raw`\.ffn_(gate|up|gate_up|down).*`,
  'up-stays': String.raw`\.ffn_(gate|gate_up|down).*`,
  'up-and-gate-stay': String.raw`\.ffn_down.*`,
  experts: String.raw`\.ffn_(up|down|gate_up|gate)_(ch|)exps`,
};
const HOST_BUFFER = 'CPU';

export function noLayers(devices: number): LayerSplit {
  return Array.from({ length: devices }, () => ({
    layers: 0,
    partial: 0,
    overflow: 'experts',
    overflowsToNext: false,
  }));
}

/** `set_ngl_tensor_split_tbo` (`common/fit.cpp`): the split as options of a launch. */
export function launchFor({ launch, nLayers }: FitProblem, split: LayerSplit): LaunchOptions {
  const gpuLayers = split.reduce((sum, { layers }) => sum + layers, 0);
  const { used } = planGpus(launch);
  const tensorOverrides: TensorOverride[] = [];
  let first = nLayers + 1 - gpuLayers;
  split.forEach(({ layers, partial, overflow, overflowsToNext }, device) => {
    first += layers - partial;
    const next = used[device + 1];
    const buffer = overflowsToNext && next !== undefined ? deviceName(launch.accelerator, next) : HOST_BUFFER;
    for (let i = 0; i < partial; i++) {
      const pattern = String.raw`blk\.${first + i}${PATTERNS[i === 0 ? overflow : 'experts']}`;
      tensorOverrides.push({ pattern, buffer: i === 0 ? buffer : HOST_BUFFER });
    }
    first += partial;
  });
  return {
    ...launch,
    gpuLayers,
    ...(split.length > 1 && { tensorSplit: split.map(({ layers }) => layers) }),
    ...(tensorOverrides.length > 0 && { tensorOverrides }),
  };
}

/** In the integers of llama.cpp: what is below zero becomes a huge unsigned number. */
export function falsePosition(delta: number, target: number, low: number, high: number): number {
  const step = Math.trunc((delta * (target - low)) / (high - low));
  return Math.min(step < 0 ? delta : Math.max(step, 1), delta - 1);
}
