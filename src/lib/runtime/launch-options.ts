/** The words LLMKube's CRD uses for `spec.hardware.accelerator`. */
export const ACCELERATORS = ['metal', 'cpu', 'cuda', 'rocm', 'vulkan', 'intel'] as const;
export type Accelerator = (typeof ACCELERATORS)[number];

/** The cache types of llama.cpp v0.5.0: `common/arg.cpp`, `kv_cache_types`. */
export const CACHE_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_1', 'iq4_nl', 'q5_0', 'q5_1'] as const;
export type CacheType = (typeof CACHE_TYPES)[number];

/** `--split-mode`: `common/arg.cpp` of llama.cpp v0.5.0. */
export const SPLIT_MODES = ['none', 'layer', 'row', 'tensor'] as const;
export type SplitMode = (typeof SPLIT_MODES)[number];

/** `common_params::n_gpu_layers` (`common/common.h`, llama.cpp v0.5.0): `auto`, and `all`. */
export const AUTO_GPU_LAYERS = -1;
export const ALL_GPU_LAYERS = -2;

/** `--rope-scaling`: `common/arg.cpp` of llama.cpp v0.5.0. */
export const ROPE_SCALINGS = ['none', 'linear', 'yarn'] as const;
export type RopeScaling = (typeof ROPE_SCALINGS)[number];

export type FlashAttention = 'auto' | 'on' | 'off';
export type ServerMode = 'chat' | 'embedding' | 'rerank';

/** Of one GPU. */
export interface GpuMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Weights whose name fits a regular expression go to a device's buffer: `CPU`, `CUDA0`. */
export interface TensorOverride {
  readonly pattern: string;
  readonly buffer: string;
}

/**
 * The options of llama-server that change what it allocates. A field that is left out has llama-server's own default,
 * which `estimateMemory` resolves (`MemoryEstimate.resolved` says to what).
 */
export interface LaunchOptions {
  readonly accelerator: Accelerator;
  /** Instruction set that decides which weights the CPU backend repacks; default: arm with metal, else x86. */
  readonly cpuArch?: 'arm' | 'x86';
  /** Tokens, all slots together (`--ctx-size`); 0 or unset = the model's training context. */
  readonly ctxSize?: number;
  /** How positions are scaled (`--rope-scaling`, `--rope-freq-scale` or the inverse of `--rope-scale`, `--yarn-orig-ctx`): what
   * context a model is taken to be trained with depends on it. */
  readonly ropeScaling?: RopeScaling;
  readonly ropeFreqScale?: number;
  readonly yarnOrigCtx?: number;
  /** Slots (`--parallel`); unset = 4 with unified KV. */
  readonly parallel?: number;
  readonly kvUnified?: boolean;
  readonly batchSize?: number;
  readonly ubatchSize?: number;
  readonly flashAttn?: FlashAttention;
  readonly cacheTypeK?: CacheType;
  readonly cacheTypeV?: CacheType;
  /** Layers on the GPU (`--n-gpu-layers`); unset or `AUTO_GPU_LAYERS` = all, unless `--fit` finds less room; other negative = all. */
  readonly gpuLayers?: number;
  /** GPUs that llama.cpp sees; default 1. */
  readonly gpus?: number;
  /** Memory of each; layers are split by what is free. Unset = all equal. */
  readonly gpuMemory?: readonly GpuMemory[];
  /** GPU and CPU share one memory (GB10, Strix Halo, Jetson); files are not mapped there unless asked for. */
  readonly unifiedMemory?: boolean;
  /** The only GPUs to use, by number (`--device`); empty = none. */
  readonly devices?: readonly number[];
  readonly splitMode?: SplitMode;
  /** Shares of the layers, one a GPU (`--tensor-split`). */
  readonly tensorSplit?: readonly number[];
  /** The one GPU that is used with split mode none. */
  readonly mainGpu?: number;
  readonly kvOffload?: boolean;
  readonly opOffload?: boolean;
  readonly mmap?: boolean;
  /** What the host maps is locked (`--load-mode mmap+mlock`, `--mlock`): also what nothing reads again. */
  readonly mlock?: boolean;
  /** CPU weight repacking (`--no-repack` turns it off). */
  readonly repack?: boolean;
  readonly swaFull?: boolean;
  /** Experts of the first N layers stay on the CPU (`--n-cpu-moe N`); Infinity = all (`--cpu-moe`). */
  readonly cpuMoeLayers?: number;
  /** Room on the GPUs for experts that lie on the host (`--moe-cache-mib`), in MiB; 0 = none. */
  readonly expertCacheMiB?: number;
  /** Weights told where to go (`--override-tensor`), before `cpuMoeLayers`; the first that fits a name holds. */
  readonly tensorOverrides?: readonly TensorOverride[];
  /** Weights on the host are repacked even where the GPU has host buffers (`--no-host`). */
  readonly noHost?: boolean;
  readonly mode?: ServerMode;
  /** Prompt cache limit in MiB (`--cache-ram`): -1 = no limit, 0 = off; default 8192. */
  readonly cacheRamMiB?: number;
  /** Whether llama-server chooses an open context and open layers by itself (`--fit`); default on. */
  readonly fit?: boolean;
  /** What `--fit` leaves free on each device, in MiB: one value for all, or one each; default 1024. */
  readonly fitTargetMiB?: number | readonly number[];
  /** The least context that `--fit` goes down to (`--fit-ctx`); default 4096. */
  readonly fitCtx?: number;
  /** The llama.cpp that will run: a release or build, `v0.5.0`, `b12032`; unset = the newest known. */
  readonly llamaCpp?: string;
  /** Context checkpoints per slot (`--ctx-checkpoints`); default 32. */
  readonly ctxCheckpoints?: number;

  /** The projector's file (`--mmproj`, `--mmproj-url`), as a source; whoever estimates reads it. */
  readonly mmproj?: string;
  /** False: none that was not named (`--no-mmproj`). */
  readonly mmprojAuto?: boolean;
  /** The GPU that it goes to (`--mmproj-device`), by the machine's number. */
  readonly mmprojDevice?: number;
  /** The projector on the GPU (`--no-mmproj-offload` keeps it off). */
  readonly mmprojOffload?: boolean;
  /** Bounds on an image's tokens (`--image-min-tokens`, `--image-max-tokens`); unset = the projector's own. */
  readonly imageMinTokens?: number;
  readonly imageMaxTokens?: number;
  /** Tokens of equal images that are encoded together (`--mtmd-batch-max-tokens`); default 1024. */
  readonly mtmdBatchMaxTokens?: number;
  /** `--no-warmup` leaves the projector's buffers for the first image. */
  readonly warmup?: boolean;
  /** What will be sent, in order; repeated sizes arrive in one request. `any`: the worst that the projector accepts. Unset = none. */
  readonly images?: readonly ImageSize[] | 'any';
  readonly audioSeconds?: readonly number[] | 'any';

  /** The draft's file (`--spec-draft-model`, `--spec-draft-hf`), as a source; whoever estimates reads it. */
  readonly draft?: string;
  /** Adapters (`--lora`), as sources. */
  readonly adapters?: readonly string[];
  /** Control vectors (`--control-vector`), as sources. */
  readonly controlVectors?: readonly string[];
  /** Speculative decoding (`--spec-type`), as llama-server names its types. */
  readonly specTypes?: readonly string[];
  /** Tokens that a draft drafts at a time (`--spec-draft-n-max`). */
  readonly draftMax?: number;
  /** The same of n-gram types (`--spec-ngram-mod-n-max`, `--spec-ngram-simple-size-m`, …); the largest where several are given. */
  readonly ngramMax?: number;
  /** Physical batch of the draft (`--spec-draft-n-ubatch`, from b12032 on); unset or 0 = the model's. */
  readonly draftUbatchSize?: number;
  readonly draftGpuLayers?: number;
  readonly draftCacheTypeK?: CacheType;
  readonly draftCacheTypeV?: CacheType;
  /** `none` keeps the draft off the GPU (`--spec-draft-device`). */
  readonly draftDevice?: string;
  /** Draft samplers in the draft's graph (`--no-spec-draft-backend-sampling` leaves them out). */
  readonly backendSampling?: boolean;

  /** `--lora-scaled`; 0 = loaded, not applied. */
  readonly adapterScale?: number;
  /** A control vector is loaded (`--control-vector`). */
  readonly controlVector?: boolean;
}

/** Pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** A launch that leaves these options open. */
export function withoutOptions<T extends object, K extends keyof T>(launch: T, ...options: readonly K[]): Omit<T, K> {
  const left = Object.entries(launch).filter(([name]) => !options.includes(name as K));
  return Object.fromEntries(left) as Omit<T, K>;
}
