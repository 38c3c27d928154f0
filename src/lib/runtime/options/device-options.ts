import { EVERY_LAYER } from '../server-defaults.js';
import {
  SPLIT_MODES,
  type Accelerator,
  type LaunchOptions,
  type SplitMode,
  type TensorOverride,
} from '../launch-options.js';
import { namePattern } from '../names/name-pattern.js';
import { addedDrafts } from './draft-options.js';
import { invalid } from './option-values.js';
import type { LaunchPatch } from './server-options.js';

/*
 * Options that say where weights go: `common_params_parser_init` in `common/arg.cpp` of llama.cpp v0.5.0.
 */

const HOST_BUFFER = 'CPU';
/** `LLM_FFN_EXPS_REGEX` and `LLM_FFN_DENSE_REGEX` (`common/common.h`). */
const EXPERTS = String.raw`\.ffn_(up|down|gate|gate_up)_(ch|)exps`;
const DENSE = String.raw`\.ffn_(up|down|gate)\.`;
/** `llama_max_devices` (`src/llama.cpp`). */
const MOST_DEVICES = 16;
/** A layer count that no model has: all of them. */
const ALL_LAYERS = Infinity;

/** `parse_tensor_buffer_overrides`: `PATTERN=BUFFER,…`. */
export function tensorOverrides(value: string): LaunchPatch {
  return { tensorOverrides: value.split(',').map(tensorOverride) };
}

function tensorOverride(text: string): TensorOverride {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid(`expects PATTERN=BUFFER such as exps=CPU, not "${text}"`);
  const [pattern, buffer] = [text.slice(0, equals), text.slice(equals + 1)];
  try {
    namePattern(pattern);
  } catch {
    throw invalid(
      `expects a regular expression, not a long one and without back-references, before =, not "${pattern}"`,
    );
  }
  if (buffer !== HOST_BUFFER && !/^[A-Za-z]+\d+$/.test(buffer)) {
    throw invalid(`expects a buffer such as CPU or CUDA0 after =, not "${buffer}"`);
  }
  return { pattern, buffer };
}

/** `--n-cpu-ffn`: the dense feed-forward weights of the first layers. */
export function denseOnHost(layers: number): LaunchPatch {
  return { tensorOverrides: firstLayers(layers, DENSE) };
}

function firstLayers(layers: number, regex: string): TensorOverride[] {
  if (layers === ALL_LAYERS) return [{ pattern: regex, buffer: HOST_BUFFER }];
  return Array.from({ length: Math.min(layers, EVERY_LAYER) }, (_, i) => ({
    pattern: String.raw`blk\.${i}${regex}`,
    buffer: HOST_BUFFER,
  }));
}

/** What the experts' options mean as overrides: `llm_ffn_exps_cpu_override`, `llm_add_n_cpu_ffn_overrides`. */
export function expertsOnHost(layers: number): readonly TensorOverride[] {
  return layers > 0 ? firstLayers(layers, EXPERTS) : [];
}

/**
 * Overrides add up, on one command line and between its sources, and the first that fits a name holds; so do the options
 * for experts, none of which takes another back.
 */
export function addedUp(before: LaunchPatch, after: LaunchPatch): LaunchPatch {
  const merged = { ...before, ...after };
  const layers = Math.max(before.cpuMoeLayers ?? 0, after.cpuMoeLayers ?? 0);
  const earlier = before.tensorOverrides ?? expertsOnHost(before.cpuMoeLayers ?? 0);
  return {
    ...merged,
    ...((before.cpuMoeLayers ?? after.cpuMoeLayers) !== undefined && { cpuMoeLayers: layers }),
    ...addedDrafts(before, after),
    ...(after.deviceNames && { deviceNames: { ...before.deviceNames, ...after.deviceNames } }),
    ...(after.tensorOverrides && { tensorOverrides: [...earlier, ...after.tensorOverrides] }),
  };
}

/** What devices are called before their number: `ggml_backend_dev_name` of each backend (llama.cpp v0.5.0). */
const DEVICE_NAMES: Readonly<Record<Accelerator, string>> = {
  cuda: 'CUDA',
  rocm: 'ROCm',
  vulkan: 'Vulkan',
  intel: 'SYCL',
  metal: 'MTL',
  cpu: 'CPU',
};

export function deviceName(accelerator: Accelerator, gpu: number): string {
  return `${DEVICE_NAMES[accelerator]}${gpu}`;
}

/** What `deviceList`, `tensorSplit` and the others here read, as llama-server's own words. */
export function deviceWords(launch: Omit<LaunchOptions, 'accelerator'>, accelerator: Accelerator): string[] {
  const { devices, splitMode: mode, tensorSplit: shares, mainGpu, tensorOverrides: overrides = [], noHost } = launch;
  const options: readonly (readonly string[] | false)[] = [
    devices !== undefined && ['--device', devices.map((gpu) => deviceName(accelerator, gpu)).join() || 'none'],
    mode !== undefined && ['--split-mode', mode],
    shares !== undefined && ['--tensor-split', shares.join()],
    mainGpu !== undefined && ['--main-gpu', String(mainGpu)],
    noHost === true && ['--no-host'],
    ...overrides.map(({ pattern, buffer }) => ['--override-tensor', `${pattern}=${buffer}`]),
  ];
  return options.flatMap((option) => option || []);
}

/** The options that name devices. */
const DEVICE_OPTIONS = ['--device', '--spec-draft-device', '--mmproj-device'] as const;
type DeviceOption = (typeof DEVICE_OPTIONS)[number];
export type DeviceNames = Partial<Readonly<Record<DeviceOption, readonly string[]>>>;

export function deviceList(value: string): LaunchPatch {
  return { devices: deviceNumbers(value), ...called('--device', value) };
}

export function draftDevice(value: string): LaunchPatch {
  deviceNumbers(value);
  return { draftDevice: value, ...called('--spec-draft-device', value) };
}

export function projectorDevice(value: string): LaunchPatch {
  const [gpu, ...more] = deviceNumbers(value);
  if (more.length > 0) throw invalid(`expects one device such as CUDA0, or none, not "${value}"`);
  if (gpu === undefined) return { mmprojOffload: false };
  return { mmprojOffload: true, mmprojDevice: gpu, ...called('--mmproj-device', value) };
}

function called(option: DeviceOption, value: string): Pick<LaunchPatch, 'deviceNames'> {
  const names = namesIn(value);
  return names.length === 0 ? {} : { deviceNames: { [option]: names } };
}

/** `parse_device_list`: names such as CUDA1, or none. */
export function deviceNumbers(value: string): readonly number[] {
  return namesIn(value).map((name) => {
    const number = /^[A-Za-z]+(\d+)$/.exec(name)?.[1];
    if (number === undefined) throw invalid(`expects devices such as CUDA0,CUDA1, or none, not "${value}"`);
    return Number(number);
  });
}

function namesIn(value: string): readonly string[] {
  return value === 'none' ? [] : value.split(',').map((name) => name.trim());
}

/**
 * Devices are found by name, in whatever case (`ggml_backend_dev_by_name` in `ggml/src/ggml-backend-reg.cpp`, llama.cpp v0.5.0).
 * @throws UsageError INVALID_SERVER_OPTION for those that another backend has
 */
export function refuseForeignDevices(named: DeviceNames, accelerator: Accelerator): void {
  if (accelerator === 'cpu') return;
  const own = DEVICE_NAMES[accelerator];
  const isForeign = (name: string): boolean => name.replace(/\d+$/, '').toLowerCase() !== own.toLowerCase();
  for (const option of DEVICE_OPTIONS) {
    const foreign = named[option]?.find(isForeign);
    if (foreign === undefined) continue;
    throw invalid(
      `${option} ${foreign} is no device of --accelerator ${accelerator}, which calls them ${own}0, ${own}1, …; name the other accelerator, or one of these.`,
    );
  }
}

export function tensorSplit(value: string): LaunchPatch {
  const shares = value.split(/[,/]+/).map(Number);
  if (value.trim() === '' || !shares.every((share) => share >= 0 && share < Infinity)) {
    throw invalid(`expects a share for each GPU such as 3,1, not "${value}"`);
  }
  if (shares.length >= MOST_DEVICES) {
    throw invalid(`expects fewer than ${MOST_DEVICES} shares, not ${shares.length}`);
  }
  return { tensorSplit: shares };
}

export function splitMode(value: string): LaunchPatch {
  const known = SPLIT_MODES.find((mode: SplitMode) => mode === value);
  if (known === undefined) throw invalid(`expects one of ${SPLIT_MODES.join(', ')}, not "${value}"`);
  return { splitMode: known };
}

/** Which weights are told where to go, in the order in which the first that fits holds. */
export function overridesOf({ tensorOverrides = [], cpuMoeLayers = 0 }: LaunchOptions): readonly TensorOverride[] {
  return [...tensorOverrides, ...expertsOnHost(cpuMoeLayers)];
}
