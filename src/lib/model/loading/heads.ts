import { headKOf, headVOf } from '../hparams.js';
import type { ModelShape } from '../model-shape.js';
import { refusedByLoader } from './load-error.js';

/** Graphs that assert or, as gpt-oss, take keys and values of one size, by the first layer's (`src/models/*.cpp`, llama.cpp v0.5.0 or b12032). */
const HEADS_ALIKE: ReadonlySet<string> = new Set(
  `afmoe apertus arcee arctic baichuan bailingmoe2 beam bert bitnet bloom chameleon chatglm clef codeshell cogvlm
  cohere2 cohere2moe command-r dbrx deci deepseek deepseek4 deepseek41 dflash dots1 dream eagle3 ernie4_5 ernie4_5-moe eurobert exaone
  exaone-moe exaone4 falcon flint glm4 glm4moe gpt-oss gpt2 gptneox granite granite_swa granitehybrid granitemoe
  graniteswitch grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 jina-bert-v2
  jina-bert-v3 k2-horizon kolibri1 laguna limite llada llada-moe llama llama-embed llama4 maincoder maion-coder
  maple mellum minicpm minimax-01 minimax-m2 minimax-m3 mistral3 modern-bert mpt muse-glimmer muse-spark nanbeige
  nemotron nemotron_h nemotron_h_moe neo-bert nomic-bert nomic-bert-moe olmo olmo2 olmoe openelm orion paddleocr
  pangu-embedded phi2 phi3 phimoe plamo pockettts qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe
  qwen3tts qwen3vl qwen3vlmoe refact rnd1 seed_oss sensenova_u1 smallthinker smollm3 spark2_5 stablelm starcoder
  starcoder2 t5 t5encoder talkie xverse`.split(/\s+/),
);

/**
 * Holds the sizes of a head's keys and values against each other; where they are parts of one tensor it does not tell.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function requireHeads({ architecture, hparams }: ModelShape): void {
  const [keys, values] = [headKOf(hparams, 0), headVOf(hparams, 0)];
  if (!HEADS_ALIKE.has(architecture) || keys === values) return;
  throw refusedByLoader(
    'MODEL_COUNT_INVALID',
    `GGML_ASSERT(n_embd_head == hparams.n_embd_head_k()) failed, since attention.key_length is ${keys} and attention.value_length ${values}`,
  );
}
