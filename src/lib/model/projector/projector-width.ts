import type { ProjectorShape } from '../model-shape.js';
import type { Encoder } from './encoder-hparams.js';
import { encodersOf } from './encoders.js';

/** A tensor and which of its dimensions is as wide as the model's input. */
type Widest = readonly [tensor: string, dimension: 0 | 1];

const MM_2: Widest = ['mm.2.weight', 1];
const MM_2_BIAS: Widest = ['mm.2.bias', 0];
const FC: Widest = ['mm.model.fc.weight', 1];
const DOWN: Widest = ['mm.down.weight', 1];
const MLP_3: Widest = ['mm.model.mlp.3.weight', 1];
const AUDIO_2: Widest = ['mm.a.mlp.2.weight', 1];
const AUDIO_INPUT: Widest = ['mm.a.input_projection.weight', 1];

/** `clip_n_mmproj_embd` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0), by the type that the header names. */
const WIDEST: Readonly<Record<string, Widest>> = {
  ldp: ['mm.model.mb_block.1.block.2.1.bias', 0],
  ldpv2: ['mm.model.peg.0.bias', 0],
  mlp: MM_2,
  phi4: MM_2,
  pixtral: MM_2,
  lightonocr: MM_2,
  dots_ocr: MM_2,
  dots3note_v: MM_2,
  dots3note_a: ['mm.a.mlp.3.weight', 1],
  resampler: ['resampler.proj.weight', 0],
  minicpmv4_6: DOWN,
  adapter: ['adapter.linear.dense_4h_to_h.weight', 1],
  minimax_m3: ['mm.merger.fc2.bias', 0],
  'muse-glimmer': MM_2,
  qwen2vl_merger: MM_2_BIAS,
  'qwen2.5vl_merger': MM_2_BIAS,
  qwen3vl_merger: MM_2_BIAS,
  exaone4_5: MM_2_BIAS,
  youtuvl: MM_2_BIAS,
  janus_pro: ['mm.1.bias', 0],
  mimovl: MM_2,
  step3vl: FC,
  gemma3: ['mm.input_projection.weight', 0],
  gemma3nv: ['mm.input_projection.weight', 0],
  gemma4v: ['mm.input_projection.weight', 1],
  gemma4uv: ['mm.input_projection.weight', 1],
  gemma4a: AUDIO_INPUT,
  gemma4ua: AUDIO_INPUT,
  idefics3: FC,
  ultravox: AUDIO_2,
  voxtral: AUDIO_2,
  musicflamingo: AUDIO_2,
  meralion: ['mm.a.mlp.3.weight', 1],
  internvl: MLP_3,
  nemotron_v2_vl: MLP_3,
  llama4: FC,
  qwen2a: ['mm.a.fc.weight', 1],
  qwen3a: AUDIO_2,
  glma: AUDIO_2,
  lfm2: MM_2,
  lfm2a: ['a.position_embd.weight', 0],
  kimivl: MM_2,
  kimik25: MM_2,
  paddleocr: MM_2,
  yasa2: MM_2,
  deepseek4v: MM_2,
  hunyuanvl: FC,
  cogvlm: DOWN,
  deepseekocr: FC,
  deepseekocr2: FC,
  granite_speech: ['a.proj_linear.weight', 1],
  glm4v: DOWN,
  mimo_audio: AUDIO_2,
  parakeet: AUDIO_2,
};

/** Elements of one embedding that a projector makes; undefined where its type, or the tensor that says so, is not known. */
export function projectorWidth(shape: ProjectorShape): number | undefined {
  const [encoder] = encodersOf(shape);
  return encoder && widthOf(shape, encoder);
}

function widthOf({ tensors, keys }: ProjectorShape, { type }: Encoder): number | undefined {
  const blocks = (pattern: RegExp): number =>
    new Set([...tensors.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? [])).size;
  if (type === 'mlp' && tensors.has('mm.3.weight')) return tensors.get('mm.3.bias')?.dims[0];
  if (type === 'granite4_vision')
    return blocks(/^v\.proj_blk\.(\d+)\./) * keys.number('clip.vision.projection_dim', 0) || undefined;
  const [name, dimension] = WIDEST[type] ?? [];
  const width = name === undefined ? undefined : tensors.get(name)?.dims[dimension as number];
  if (width === undefined || type !== 'qwen3vl_merger') return width;
  return width * (1 + blocks(/^v\.deepstack\.(\d+)\.fc1\./));
}
