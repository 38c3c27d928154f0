import { CheckIncompleteError, UsageError } from '../../errors.js';
import { Kept } from '../../kept.js';
import type { ProjectorShape } from '../../model/model-shape.js';
import type { Encoder, EncoderHparams } from '../../model/projector/encoder-hparams.js';
import { encodersOf, readEncoderHparams } from '../../model/projector/encoders.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { multiprocessorsOf } from '../gpu-overhead.js';
import { GPU_BACKENDS } from '../launch-backends.js';
import type { Backend } from '../ggml/backend.js';
import { cpuBackend } from '../ggml/cpu/cpu-and-blas.js';
import type { DeviceBytes } from '../ggml/device.js';
import { projectorGraph } from '../graph/projector/projectors.js';
import type { Accuracy, Addition, EstimatePart, GrowthPart } from '../memory-estimate.js';
import { audioBatches, audioWarmup, isCutByContext, worstAudio } from './audio-frames.js';
import { refuseDevices } from '../devices.js';
import { boundEncoder } from './bound-encoder.js';
import { EncoderBuffers } from './encoder-buffers.js';
import { imageBatches, worstImages } from './media.js';
import { EncoderWeights } from './weights.js';

/** `mtmd_context_params_default` (`tools/mtmd/mtmd.cpp`, llama.cpp v0.5.0). */
const BATCH_TOKENS = 1024;
const ZERO: DeviceBytes = { cpu: 0, gpus: [] };

/** Where a projector goes, all of it. */
interface Placed {
  readonly backends: readonly Backend[];
  /** The machine's number of the GPU, where that is not the only one. */
  readonly gpu: number | undefined;
}

/**
 * What a multimodal projector adds: `clip_init` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0) at start-up, and what images and
 * audio make its buffers grow by.
 * @param contextTokens tokens that one slot's context holds
 * @throws CheckIncompleteError when llama.cpp would not load the file.
 */
export function estimateProjector(shape: ProjectorShape, launch: LaunchOptions, contextTokens: number): Addition {
  const isCut = launch.audioSeconds === 'any' && encodersOf(shape).some(isCutByContext);
  const key = JSON.stringify([isCut ? contextTokens : undefined, ...plannedBy(launch)]);
  const addition = ESTIMATED.of(shape, key, () => estimated(shape, launch, contextTokens));
  const started = STARTED.get(shape) ?? new Map<string, Addition['parts']>();
  STARTED.set(shape, started.set(JSON.stringify(plannedBy(launch)), addition.parts));
  return addition;
}

/** What it holds from its start on, and what computing takes of a GPU, beside whatever model; undefined where that was not estimated yet. */
export function knownProjectorParts(shape: ProjectorShape, launch: LaunchOptions): Addition['parts'] | undefined {
  return STARTED.get(shape)?.get(JSON.stringify(plannedBy(launch)));
}

/** All of a launch that a projector depends on; what computing takes of a GPU depends on the media, too. */
function plannedBy(launch: LaunchOptions): readonly unknown[] {
  const { accelerator, flashAttn, devices, gpus, mmprojOffload, mmprojDevice, warmup, mtmdBatchMaxTokens } = launch;
  const { images, audioSeconds, imageMinTokens, imageMaxTokens, llamaCpp: version } = launch;
  const cards = launch.gpuMemory?.map(({ totalBytes }) => totalBytes);
  const placed = [accelerator, flashAttn, devices, gpus, cards, mmprojOffload, mmprojDevice];
  return [version, placed, warmup, mtmdBatchMaxTokens, images, audioSeconds, imageMinTokens, imageMaxTokens];
}

/** Whose encoders' graphs the simulated ones follow; later versions changed several. */
const FOLLOWED = 'v0.5.0';

/** Most of a launch does not matter to a projector, which advice would otherwise plan over and over. */
const ESTIMATED = new Kept<ProjectorShape, Addition>();
/** The parts of these. */
const STARTED = new WeakMap<ProjectorShape, Map<string, Addition['parts']>>();

function estimated(shape: ProjectorShape, launch: LaunchOptions, contextTokens: number): Addition {
  const encoders = encodersOf(shape);
  if (encoders.length === 0) {
    throw new CheckIncompleteError(
      'PROJECTOR_NO_ENCODER',
      'The projector names neither a vision nor an audio encoder, so llama-server would not use it; use a complete file that a current llama.cpp converted.',
    );
  }
  const placed = placeProjector(launch);
  const accuracy: Accuracy = placed.backends.length === 1 || launch.accelerator === 'metal' ? 'exact' : 'modelled';
  const parts: EstimatePart[] = [];
  const growth: GrowthPart[] = [];
  const notes: string[] = [];
  for (const encoder of encoders) {
    const found = planEncoder(shape, encoder, launch, placed, contextTokens);
    parts.push(...partsOf('weights-copy', found.weights, accuracy, placed));
    const ofGraph = llamaCpp(launch.llamaCpp).name === FOLLOWED ? accuracy : 'modelled';
    const sure = found.note === undefined ? ofGraph : 'bound';
    parts.push(...partsOf('compute', found.atStart, sure, placed));
    parts.push(...partsOf('runtime-overhead', found.scratch, 'modelled', placed));
    if (found.note !== undefined) notes.push(found.note);
    for (const { device, gpu, bytes } of partsOf('compute', found.added, accuracy, placed)) {
      growth.push({ name: 'compute', of: 'projector', device, ...(gpu !== undefined && { gpu }), maxBytes: bytes });
    }
  }
  return { parts: merged(parts), growth, notes };
}

interface PlannedEncoder {
  /** A sentence where the encoder's graph is not described here. */
  readonly note?: string;
  readonly weights: DeviceBytes;
  readonly atStart: DeviceBytes;
  readonly added: DeviceBytes;
  /** What computing takes of a GPU beside buffers; unset where that is not known. */
  readonly scratch?: DeviceBytes;
}

/** What stands for no bound, and is below every other. */
const UNBOUNDED = -1;

/** `clip_model_loader::load_hparams` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0), with bounds of `--image-min-tokens` and `--image-max-tokens`. */
function refuseNoImages({ minPixels, maxPixels }: EncoderHparams, launch: LaunchOptions): void {
  const { imageMinTokens, imageMaxTokens } = launch;
  const isAsked = imageMinTokens !== undefined || imageMaxTokens !== undefined;
  if (!isAsked || maxPixels >= minPixels) return;
  throw new UsageError(
    'LAUNCH_IMAGE_TOKENS',
    `llama-server would stop with "image_max_pixels (${maxPixels || UNBOUNDED}) is less than image_min_pixels (${minPixels})"; change --image-min-tokens and --image-max-tokens so that the least is not above the most.`,
  );
}

function planEncoder(
  shape: ProjectorShape,
  encoder: Encoder,
  launch: LaunchOptions,
  { backends }: Placed,
  contextTokens: number,
): PlannedEncoder {
  const graph = projectorGraph(encoder.type);
  if (!graph) return boundedEncoder(shape, encoder, launch, backends);
  const hparams = readEncoderHparams(shape, encoder, {
    minTokens: launch.imageMinTokens,
    maxTokens: launch.imageMaxTokens,
  });
  refuseNoImages(hparams, launch);
  const weights = new EncoderWeights(shape, encoder, hparams.nLayer, backends[0] as Backend);
  const buffers = new EncoderBuffers({
    encoder,
    hparams,
    graph,
    weights,
    backends,
    flashAttn: launch.flashAttn ?? 'auto',
  });
  const isVision = encoder.modality === 'vision';
  if (launch.warmup !== false) {
    const { warmupSize: side } = hparams;
    buffers.reserve(isVision ? { size: { width: side, height: side }, count: 1 } : audioWarmup(hparams));
  }
  const atStart = buffers.bytes;

  const batchTokens = graph.batches ? (launch.mtmdBatchMaxTokens ?? BATCH_TOKENS) : undefined;
  const { images = [], audioSeconds = [] } = launch;
  const media = isVision
    ? images === 'any'
      ? worstImages(encoder, hparams, batchTokens)
      : imageBatches(encoder, hparams, images, batchTokens)
    : audioSeconds === 'any'
      ? worstAudio(encoder, hparams, contextTokens)
      : audioBatches(encoder, hparams, audioSeconds);
  const seen = new Set<string>();
  for (const batch of media) {
    const key = JSON.stringify(batch);
    if (!seen.has(key)) buffers.reserve(batch);
    seen.add(key);
  }
  const added = difference(buffers.bytes, atStart);
  return { weights: onFirst(backends, weights.bytes), atStart, added, scratch: buffers.scratch };
}

/** The constructor of `clip_ctx`, and `common_params_parse_ex` (`common/arg.cpp`): the first GPU of those in use, or the CPU. */
function placeProjector(launch: LaunchOptions): Placed {
  const { accelerator, mmprojOffload, mmprojDevice, devices, gpus = 1 } = launch;
  const gpu = mmprojDevice ?? (devices ? devices[0] : 0);
  if (mmprojDevice !== undefined && accelerator !== 'cpu') refuseDevices('--mmproj-device', [mmprojDevice], launch);
  if (accelerator === 'cpu' || mmprojOffload === false || gpu === undefined)
    return { backends: [cpuBackend], gpu: undefined };
  const several = gpus > 1 || gpu > 0;
  return {
    backends: [
      GPU_BACKENDS[accelerator].gpu(0, llamaCpp(launch.llamaCpp).switches, multiprocessorsOf(launch.gpuMemory?.[gpu])),
      cpuBackend,
    ],
    gpu: several ? gpu : undefined,
  };
}

function onFirst([backend]: readonly Backend[], bytes: number): DeviceBytes {
  return backend?.memory === 'cpu' ? { cpu: bytes, gpus: [] } : { cpu: 0, gpus: [bytes] };
}

function difference(after: DeviceBytes, before: DeviceBytes): DeviceBytes {
  return { cpu: after.cpu - before.cpu, gpus: after.gpus.map((bytes, i) => bytes - (before.gpus[i] ?? 0)) };
}

function partsOf(
  name: EstimatePart['name'],
  { cpu, gpus }: DeviceBytes = ZERO,
  accuracy: Accuracy,
  { gpu }: Placed,
): EstimatePart[] {
  const parts: EstimatePart[] = [];
  const [onGpu = 0] = gpus;
  const number = gpu === undefined ? {} : { gpu };
  if (onGpu > 0) parts.push({ name, of: 'projector', device: 'gpu', ...number, bytes: onGpu, accuracy });
  if (cpu > 0) parts.push({ name, of: 'projector', device: 'host', bytes: cpu, accuracy });
  return parts;
}

/** Vision's and audio's parts of one kind and place together. */
function merged(parts: readonly EstimatePart[]): EstimatePart[] {
  const byPlace = new Map<string, EstimatePart>();
  for (const part of parts) {
    const key = `${part.name} ${part.device}`;
    byPlace.set(key, { ...part, bytes: part.bytes + (byPlace.get(key)?.bytes ?? 0) });
  }
  return [...byPlace.values()];
}

/** Its weights as they are; more than its buffers could be. */
function boundedEncoder(
  shape: ProjectorShape,
  encoder: Encoder,
  launch: LaunchOptions,
  backends: readonly Backend[],
): PlannedEncoder {
  const { atStart, added } = boundEncoder(shape, encoder, launch);
  const isSent = encoder.modality === 'vision' ? launch.images : launch.audioSeconds;
  const weights = new EncoderWeights(shape, encoder, Infinity, backends[0] as Backend);
  return {
    weights: onFirst(backends, weights.bytes),
    atStart: onFirst(backends, atStart),
    added: onFirst(backends, isSent === undefined ? 0 : added),
    note: `what a projector of type ${JSON.stringify(encoder.type)} computes is not described here: its buffers are an upper bound, and llama.cpp may not know it at all`,
  };
}
