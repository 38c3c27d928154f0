import { UsageError } from '../errors.js';

/** Build numbers, both ends included. */
interface BuildRange {
  readonly from: number;
  readonly to: number;
}

/** A change of llama.cpp that moved memory. */
interface Switch {
  /** The build with which it came in lies in here: the same number twice where it is known. */
  readonly since: BuildRange;
  /** The side that never says too little where it is not known which one a build is on. */
  readonly safer: boolean;
}

/**
 * What moved between June and November 2026, each with the file and function that changed. Two neighbouring builds that were
 * measured, or read, bound where a change came in.
 */
const SWITCHES = {
  /** Logits are reserved for the slots, not for a whole ubatch: `llama_context::sched_reserve` (`src/llama-context.cpp`). */
  logitsOfSlots: { since: { from: 9454, to: 9484 }, safer: false },
  /**
   * Flash attention reserves an f16 copy of K and V whatever the cache type, and areas for its indices:
   * `ggml_metal_op_flash_attn_ext_extra_kv_f16` (`ggml/src/ggml-metal/ggml-metal-ops.cpp`).
   */
  metalHalfCopies: { since: { from: 10473, to: 10549 }, safer: true },
  /**
   * What a fused kernel reads stays allocated, and one table says what may fuse: `ggml_metal_fusion_add_alloc_deps`
   * (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`).
   */
  metalFusionTable: { since: { from: 10853, to: 11222 }, safer: true },
  /** K and V caches of latent attention must have one type: `llama_init_from_model` (`src/llama-context.cpp`). */
  equalLatentTypes: { since: { from: 9497, to: 10472 }, safer: false },
  /** All rows of the last layer are kept for draft heads: `llm_graph_result::set_outputs` (`src/llama-graph.cpp`). */
  keepsHidden: { since: { from: 9497, to: 10472 }, safer: true },
  /** Mamba-2 projects over flat rows: `build_mamba2_layer` (`src/models/mamba-base.cpp`). */
  flatMamba2: { since: { from: 10550, to: 10605 }, safer: true },
  /** Mamba's time steps are copied together: `build_mamba_layer` (`src/models/mamba-base.cpp`). */
  contiguousSteps: { since: { from: 10853, to: 11222 }, safer: false },
  /** Tokens and embeddings may be mixed in a batch: `llm_graph_context::build_inp_embd` (`src/llama-graph.cpp`). */
  mixedInput: { since: { from: 11394, to: 11401 }, safer: true },
  /** Rows of the embeddings are looked up before anything else: `build_inp_embd`, `ggml_build_forward_order`. */
  lookupsFirst: { since: { from: 11435, to: 11548 }, safer: true },
  /** A layer's recurrent states are gathered once: `llm_graph_context::build_rs` (`src/llama-graph.cpp`). */
  statesGatheredOnce: { since: { from: 11369, to: 11393 }, safer: true },
  /** The experts' areas shrank: `ggml_metal_op_mul_mat_id_extra_*` (`ggml/src/ggml-metal/ggml-metal-ops.cpp`). */
  metalExpertTiles: { since: { from: 11435, to: 12032 }, safer: false },
  /** A product and the sum after it may be one kernel: `ggml_metal_fusion_check_mul_mat_add` (`ggml-metal-fusion.cpp`). */
  metalMatrixAdd: { since: { from: 11402, to: 11434 }, safer: true },
  /** That kernel multiplies more types: `ggml_metal_mul_mv_mma_type_supported` (`ggml-metal-common.cpp`). */
  metalMatrixAddTypes: { since: { from: 11435, to: 12032 }, safer: true },
  /** Attention without a cache pads K, V and the mask to 256 cells: `build_attn_inp_no_cache` (`src/llama-graph.cpp`). */
  paddedBatchAttention: { since: { from: 11435, to: 12032 }, safer: true },
  /** Rows without output are dropped inside the last layer: `crop_before_nextn` (`src/llama-graph.h`). */
  cropsEarly: { since: { from: 11435, to: 12032 }, safer: false },
  /** Fewer copies, projections over flat rows: `build_layer_attn_linear` (`src/models/qwen3next.cpp`), `build_lfm_shortconv`. */
  leanRecurrentLayers: { since: { from: 11435, to: 12032 }, safer: false },
  /** Gemma 3n and 4 load the token embedding before the head that repeats it: `load_arch_tensors` (`src/models/gemma4.cpp`). */
  embeddingLoadedFirst: { since: { from: 11435, to: 12032 }, safer: false },
  /** The rotations of a quantized cache lie beside it: constructor of `llama_kv_cache` (`src/llama-kv-cache.cpp`). */
  rotationsInCache: { since: { from: 11740, to: 12032 }, safer: true },
  /** Graphs for embeddings end before the output head: `llm_graph_context::build_lm_head` (`src/llama-graph.cpp`). */
  headlessEmbeddings: { since: { from: 11435, to: 12032 }, safer: false },
  /** Each device maps its own tensors only: `llama_model_loader::get_mapping_ranges` (`src/llama-model-loader.cpp`). */
  ownRanges: { since: { from: 11549, to: 11739 }, safer: false },
} as const satisfies Record<string, Switch>;

type SwitchName = keyof typeof SWITCHES;
/** Which of the changes a llama.cpp has. */
export type Switches = Readonly<Record<SwitchName, boolean>>;

interface KnownVersion {
  readonly build: BuildRange;
  readonly release?: string;
  readonly commit?: string;
}

/** Those that launches were measured with, oldest first. */
const MEASURED: readonly KnownVersion[] = [
  { build: { from: 9453, to: 9453 }, commit: 'af6528e6d' },
  { build: { from: 10472, to: 10472 } },
  { build: { from: 11222, to: 11222 }, release: '0.5.0' },
  { build: { from: 11434, to: 11434 } },
  { build: { from: 12032, to: 12032 }, release: '0.8.0' },
];

const FITS_EACH_SLOT: BuildRange = { from: 10473, to: 11291 };

/** Unset in a launch. */
const DEFAULT_VERSION = 'v0.5.0';

/** The llama.cpp that a launch is meant for. */
interface LlamaCpp {
  /** As llama.cpp calls it: `v0.5.0`, `b11434`. */
  readonly name: string;
  readonly build: BuildRange;
  readonly switches: Switches;
  /** `--fit` aims at the trained context for each slot even where they share it: only around v0.5.0 (`common/fit.cpp`). */
  readonly fitsTrainedContextOfEachSlot: boolean;
  /** Launches were measured with it; otherwise its switches are all that is known. */
  readonly measured: boolean;
}

/**
 * A version as people and programs write it: a release (`v0.8.0`), a build (`b11434`, `b11434-6471e3c0` of `/props`), or the
 * commit of one that was measured.
 * @throws UsageError LLAMA_CPP_VERSION
 */
export function llamaCpp(version: string = DEFAULT_VERSION): LlamaCpp {
  const known = RESOLVED.get(version);
  if (known) return known;
  const found = resolve(version);
  RESOLVED.set(version, found);
  return found;
}

const RESOLVED = new Map<string, LlamaCpp>();

function resolve(version: string): LlamaCpp {
  const build = /^b?(\d{3,6})(-[0-9a-f]+)?$/.exec(version)?.[1];
  if (build) return at(`b${build}`, { from: Number(build), to: Number(build) });
  const release = /^v?(\d+\.\d+\.\d+)$/.exec(version)?.[1];
  const known = MEASURED.find(
    (entry) => (release && entry.release === release) || (entry.commit && version.endsWith(entry.commit)),
  );
  if (!known) {
    throw new UsageError(
      'LLAMA_CPP_VERSION',
      `${JSON.stringify(version)} is no llama.cpp version; write a release such as v0.8.0 or a build such as b12032.`,
    );
  }
  return at(known.release ? `v${known.release}` : version, known.build);
}

function at(name: string, build: BuildRange): LlamaCpp {
  const switches = Object.fromEntries(
    Object.entries(SWITCHES).map(([key, { since, safer }]) => [key, isOn(build, since, safer)]),
  ) as Switches;
  return {
    name,
    build,
    switches,
    fitsTrainedContextOfEachSlot: FITS_EACH_SLOT.from <= build.from && build.to <= FITS_EACH_SLOT.to,
    measured: MEASURED.some((known) => known.build.from <= build.from && build.to <= known.build.to),
  };
}

function isOn(build: BuildRange, since: BuildRange, safer: boolean): boolean {
  if (build.from >= since.to) return true;
  return build.to < since.from ? false : safer;
}
