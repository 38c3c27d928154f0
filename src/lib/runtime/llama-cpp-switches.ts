/** Build numbers, both ends included. */
export interface BuildRange {
  readonly from: number;
  readonly to: number;
}

/** A change of llama.cpp that moved memory. */
interface Switch {
  /** The build with which it came in lies in here: the same number twice where it is known. */
  readonly since: BuildRange;
  /** The side that never says too little where it is not known which one a build is on. */
  readonly safer: boolean;
  /** What a user may read of it. */
  readonly what: string;
}

/**
 * What moved between June and November 2026, each with the file and function that changed. Two neighbouring builds that were
 * measured, or read, bound where a change came in.
 */
const SWITCHES = {
  /** Logits are reserved for the slots, not for a whole ubatch: `llama_context::sched_reserve` (`src/llama-context.cpp`). */
  logitsOfSlots: {
    since: { from: 9454, to: 9484 },
    safer: false,
    what: 'room for logits of one token a slot, not of a whole ubatch',
  },
  /**
   * Flash attention reserves an f16 copy of K and V whatever the cache type, and areas for its indices:
   * `ggml_metal_op_flash_attn_ext_extra_kv_f16` (`ggml/src/ggml-metal/ggml-metal-ops.cpp`).
   */
  metalHalfCopies: {
    since: { from: 10525, to: 10549 },
    safer: true,
    what: 'flash attention always has room for K and V as f16',
  },
  /**
   * What a fused kernel reads stays allocated, and one table says what may fuse: `ggml_metal_fusion_add_alloc_deps`
   * (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`).
   */
  metalFusionTable: {
    since: { from: 10853, to: 11222 },
    safer: true,
    what: 'what a fused kernel reads stays allocated',
  },
  /** K and V caches of latent attention must have one type: `llama_init_from_model` (`src/llama-context.cpp`). */
  equalLatentTypes: {
    since: { from: 9497, to: 10472 },
    safer: true,
    what: 'K and V of latent attention must have one type',
  },
  /** All rows of the last layer are kept for draft heads: `llm_graph_result::set_outputs` (`src/llama-graph.cpp`). */
  keepsHidden: { since: { from: 9497, to: 10472 }, safer: true, what: 'the last layer keeps its rows for draft heads' },
  /** Mamba-2 projects over flat rows: `build_mamba2_layer` (`src/models/mamba-base.cpp`). */
  flatMamba2: { since: { from: 10550, to: 10605 }, safer: true, what: 'Mamba-2 projects over flat rows' },
  /** Mamba's time steps are copied together: `build_mamba_layer` (`src/models/mamba-base.cpp`). */
  contiguousSteps: { since: { from: 10853, to: 11222 }, safer: false, what: "Mamba's time steps are copied together" },
  /** Context checkpoints are at least 8192 tokens apart, not 256: `checkpoint_min_step` (`common/common.h`). */
  sparseCheckpoints: { since: { from: 9497, to: 10472 }, safer: false, what: 'context checkpoints are further apart' },
  /** Tokens and embeddings may be mixed in a batch: `llm_graph_context::build_inp_embd` (`src/llama-graph.cpp`). */
  mixedInput: {
    since: { from: 11394, to: 11401 },
    safer: true,
    what: 'a batch may mix tokens and embeddings, so both inputs exist',
  },
  /** Rows of the embeddings are looked up before anything else: `build_inp_embd`, `ggml_build_forward_order`. */
  lookupsFirst: {
    since: { from: 11435, to: 11548 },
    safer: true,
    what: 'embeddings are looked up before anything else',
  },
  /** A layer's recurrent states are gathered once: `llm_graph_context::build_rs` (`src/llama-graph.cpp`). */
  statesGatheredOnce: {
    since: { from: 11369, to: 11382 },
    safer: true,
    what: 'recurrent states are gathered once a layer',
  },
  /**
   * Gate, up and activation are one kernel, a shared expert's too: `ggml_backend_cuda_graph_optimize` (`ggml-cuda.cu`). Seen in v0.8.0
   * and not in v0.5.0; all between count as having it, for CUDA's figures are modelled there.
   */
  cudaFusedGates: {
    since: { from: 11223, to: 11223 },
    safer: true,
    what: 'what the kernel of gate, up and activation reads stays allocated',
  },
  /** The experts' areas shrank: `ggml_metal_op_mul_mat_id_extra_*` (`ggml/src/ggml-metal/ggml-metal-ops.cpp`). */
  metalExpertTiles: { since: { from: 11435, to: 12032 }, safer: false, what: "the experts' areas shrank" },
  /** Flash attention has kernels for listed pairs of K and V head sizes only: `ggml_metal_device_supports_op`. */
  metalListedHeadPairs: {
    since: { from: 11435, to: 12032 },
    safer: true,
    what: 'flash attention runs on listed pairs of head sizes only',
  },
  /** An indexer runs whatever its heads, not with 64 only: `ggml_metal_device_supports_op`. */
  metalAnyIndexerHeads: {
    since: { from: 11435, to: 12032 },
    safer: false,
    what: 'an indexer of any heads runs on Metal',
  },
  /** A product and the sum after it may be one kernel: `ggml_metal_fusion_check_mul_mat_add` (`ggml-metal-fusion.cpp`). */
  metalMatrixAdd: {
    since: { from: 11402, to: 11434 },
    safer: true,
    what: 'a product and the sum after it are one kernel',
  },
  /** That kernel multiplies more types: `ggml_metal_mul_mv_mma_type_supported` (`ggml-metal-common.cpp`). */
  metalMatrixAddTypes: { since: { from: 11435, to: 12032 }, safer: true, what: 'that kernel multiplies more types' },
  /** Attention without a cache pads K, V and the mask to 256 cells: `build_attn_inp_no_cache` (`src/llama-graph.cpp`). */
  paddedBatchAttention: {
    since: { from: 11435, to: 12032 },
    safer: true,
    what: 'attention without a cache is padded to 256 tokens',
  },
  /** Rows without output are dropped inside the last layer: `crop_before_nextn` (`src/llama-graph.h`). */
  cropsEarly: {
    since: { from: 11435, to: 12032 },
    safer: false,
    what: 'rows without output are dropped inside the last layer',
  },
  /** Fewer copies, projections over flat rows: `build_layer_attn_linear` (`src/models/qwen3next.cpp`), `build_lfm_shortconv`. */
  leanRecurrentLayers: { since: { from: 11435, to: 12032 }, safer: false, what: 'recurrent layers copy less' },
  /** Gemma 3n and 4 load the token embedding before the head that repeats it: `load_arch_tensors` (`src/models/gemma4.cpp`). */
  embeddingLoadedFirst: {
    since: { from: 11435, to: 12032 },
    safer: false,
    what: 'a tied head is no longer loaded twice',
  },
  /** HRM's initial state belongs to its first block, not to the inputs: `LLM_TENSOR_INFOS` (`src/llama-arch.cpp`). */
  initialStateInBlock: {
    since: { from: 11435, to: 12032 },
    safer: true,
    what: 'an initial state lies with the first block',
  },
  /** Dry runs no longer allocate recurrent states: the constructor of `llama_memory_recurrent` (`src/llama-memory-recurrent.cpp`). */
  sizesStates: { since: { from: 11435, to: 12032 }, safer: false, what: 'dry runs take no recurrent states' },
  /** The rotations of a quantized cache lie beside it: constructor of `llama_kv_cache` (`src/llama-kv-cache.cpp`). */
  rotationsInCache: {
    since: { from: 11740, to: 12032 },
    safer: true,
    what: 'rotations of a quantized cache lie beside it',
  },
  /** The mask of the cells that an indexer chooses is one op: `build_fused_top_k_mask` (`src/llama-graph.cpp`). */
  fusedChoiceMask: {
    since: { from: 11435, to: 12032 },
    safer: false,
    what: 'the mask of chosen cells is made at once',
  },
  /** Qwen 4 keeps the keys of whole blocks beside those of tokens: `llama_memory_hybrid_idx` (`src/llama-memory-hybrid-idx.cpp`). */
  keepsPooledKeys: { since: { from: 11435, to: 12032 }, safer: true, what: 'keys of whole blocks are kept' },
  /** Layers may have fewer experts than the header says: `load_arch_tensors` and the graph of `src/models/nemotron-h.cpp`. */
  expertsOfLayer: { since: { from: 11435, to: 12032 }, safer: false, what: 'layers may have fewer experts' },
  /** Experts whose rows may exceed F16 scale them, and no longer ask for F32: `build_moe_ffn` (`src/llama-graph.cpp`). */
  scaledExperts: { since: { from: 11435, to: 12032 }, safer: true, what: 'some experts scale what they read' },
  /** Graphs for embeddings end before the output head: `llm_graph_context::build_lm_head` (`src/llama-graph.cpp`). */
  headlessEmbeddings: {
    since: { from: 11435, to: 12032 },
    safer: false,
    what: 'embeddings are computed without the output head',
  },
  /** Each device maps its own tensors only: `llama_model_loader::get_mapping_ranges` (`src/llama-model-loader.cpp`). */
  ownRanges: { since: { from: 11549, to: 11739 }, safer: false, what: 'each device maps its own tensors only' },
} as const satisfies Record<string, Switch>;

export type SwitchName = keyof typeof SWITCHES;
/** Which of the changes a llama.cpp has. */
export type Switches = Readonly<Record<SwitchName, boolean>>;

/** Which switches a llama.cpp of these builds has, and whether any had to be guessed. */
export function switchesOf(build: BuildRange): {
  readonly switches: Switches;
  readonly guessed: readonly SwitchName[];
} {
  const guessed: SwitchName[] = [];
  const entries = Object.entries(SWITCHES).map(([name, { since, safer }]) => {
    if (build.from >= since.to) return [name, true];
    if (build.to < since.from) return [name, false];
    guessed.push(name as SwitchName);
    return [name, safer];
  });
  return { switches: Object.fromEntries(entries) as Switches, guessed };
}

/** The changes that one side has and the other has not, in the order of the list above. */
export function changesBetween(from: Switches, to: Switches): readonly { name: SwitchName; what: string }[] {
  const names = Object.keys(SWITCHES) as SwitchName[];
  return names
    .filter((name) => from[name] !== to[name])
    .map((name) => ({ name, what: to[name] ? SWITCHES[name].what : `no longer: ${SWITCHES[name].what}` }));
}

/** The same with some changes made, or not made; null where one is not known. */
export function toggled(switches: Switches, names: readonly string[]): Switches | null {
  if (!names.every((name) => name in SWITCHES)) return null;
  return names.reduce((all, name) => ({ ...all, [name]: !all[name as SwitchName] }), switches);
}
