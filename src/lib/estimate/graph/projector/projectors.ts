import type { Tensor } from '../../ggml/tensor.js';
import { ClipGraph, type ClipGraphInputs } from './clip-graph.js';
import { conformer } from './audio/conformer.js';
import { gemma4a } from './audio/gemma4.js';
import { graniteSpeech } from './audio/granite-speech.js';
import { mimoAudio } from './audio/mimo.js';
import { parakeet } from './audio/parakeet.js';
import { dots3noteAudio, qwen3a } from './audio/qwen3.js';
import { whisper } from './audio/whisper.js';
import { cogvlm } from './vit/cogvlm.js';
import { deepseekOcr, deepseekOcr2 } from './convolved/deepseek-ocr.js';
import { mobilenet } from './convolved/mobilenet.js';
import { step3vl } from './convolved/step3vl.js';
import { yasa2 } from './convolved/yasa2.js';
import { deepseek4v } from './deepseek4v.js';
import { ClampedClipGraph, gemma4ua, gemma4uv, gemma4v } from './vit/gemma4.js';
import { glm4v } from './glm4v.js';
import { granite4Vision } from './granite4-vision.js';
import { internvl } from './vit/internvl.js';
import { kimik25, kimivl } from './vit/kimivl.js';
import { llama4 } from './vit/llama4.js';
import { llava } from './llava.js';
import { minimaxM3 } from './minimax-m3.js';
import { nemotron } from './vit/nemotron.js';
import { dotsocr, hunyuanvl, paddleocr } from './vit/ocr.js';
import { pixtral } from './vit/pixtral.js';
import { minicpmv } from './resampler.js';
import { siglip } from './vit/siglip.js';
import { exaone, mimovl } from './windowed/grouped.js';
import { minicpmv46 } from './windowed/minicpmv46.js';
import { museGlimmer } from './windowed/muse-glimmer.js';
import { qwen2vl, qwen3vl } from './windowed/qwen-vl.js';
import { youtuvl } from './windowed/youtuvl.js';

export interface ProjectorGraph {
  readonly build: (g: ClipGraph) => Tensor;
  /** Equal images that follow one another are encoded together: `support_batch` (`tools/mtmd/models/models.h`). */
  readonly batches?: boolean;
  readonly clamps?: boolean;
}

/** `clip_get_graph_builder` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0), by projector type. */
const PROJECTORS: Readonly<Record<string, ProjectorGraph>> = {
  gemma3: { build: siglip },
  idefics3: { build: siglip },
  lfm2: { build: siglip },
  janus_pro: { build: siglip },
  phi4: { build: siglip },
  gemma4v: { build: gemma4v, batches: true, clamps: true },
  gemma4uv: { build: gemma4uv },
  gemma4a: { build: gemma4a, clamps: true },
  gemma4ua: { build: gemma4ua },
  pixtral: { build: pixtral },
  lightonocr: { build: pixtral },
  qwen2vl_merger: { build: qwen2vl },
  'qwen2.5vl_merger': { build: qwen2vl },
  qwen3vl_merger: { build: qwen3vl },
  exaone4_5: { build: exaone },
  mimovl: { build: mimovl },
  minimax_m3: { build: minimaxM3 },
  'muse-glimmer': { build: museGlimmer },
  step3vl: { build: step3vl },
  youtuvl: { build: youtuvl },
  minicpmv4_6: { build: minicpmv46 },
  cogvlm: { build: cogvlm },
  deepseek4v: { build: deepseek4v },
  dots3note_v: { build: dotsocr },
  internvl: { build: internvl, batches: true },
  llama4: { build: llama4 },
  kimivl: { build: kimivl },
  kimik25: { build: kimik25 },
  paddleocr: { build: paddleocr },
  dots_ocr: { build: dotsocr },
  hunyuanvl: { build: hunyuanvl },
  nemotron_v2_vl: { build: nemotron },
  glm4v: { build: glm4v },
  resampler: { build: minicpmv },
  mlp: { build: llava },
  ldp: { build: llava },
  ldpv2: { build: llava },
  adapter: { build: llava },
  deepseekocr: { build: deepseekOcr, batches: true },
  deepseekocr2: { build: deepseekOcr2, batches: true },
  granite4_vision: { build: granite4Vision },
  yasa2: { build: yasa2 },
  gemma3nv: { build: mobilenet },
  lfm2a: { build: conformer },
  parakeet: { build: parakeet },
  granite_speech: { build: graniteSpeech },
  mimo_audio: { build: mimoAudio },
  qwen3a: { build: qwen3a },
  dots3note_a: { build: dots3noteAudio },
  ultravox: { build: whisper },
  voxtral: { build: whisper },
  qwen2a: { build: whisper },
  glma: { build: whisper },
  meralion: { build: whisper },
  musicflamingo: { build: whisper },
};

export function projectorGraph(type: string): ProjectorGraph | undefined {
  return Object.hasOwn(PROJECTORS, type) ? PROJECTORS[type] : undefined;
}

/** The graph of one batch of media, its result expanded. */
export function buildProjectorGraph({ build, clamps }: ProjectorGraph, inputs: ClipGraphInputs): ClipGraph {
  const g = clamps ? new ClampedClipGraph(inputs) : new ClipGraph(inputs);
  g.expand(build(g));
  return g;
}
