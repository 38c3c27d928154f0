import type { GgufTensor } from '../../gguf/header.js';
import type { ProjectorShape } from '../../model/model-shape.js';
import type { Encoder } from '../../model/projector/encoder-hparams.js';
import { encodersOf } from '../../model/projector/encoders.js';
import type { Backend } from '../ggml/backend.js';
import { type Buffer, contiguousStrides, type Four, pad, Tensor } from '../ggml/tensor.js';

/** Read to the heap, or not at all: limits of Gemma's clamped matrices, filters, generated audio's own decoder. */
const NOT_BUFFERED = /\.(input|output)_(min|max)$|^a\.(mel_filters|window)$|^a\.gen\./;
/** Loaded by each encoder, because their names do not say which (`TN_CLASS_EMBD`, `TN_PATCH_*`, `TN_NORM_EMBD`). */
const OF_BOTH = /^v\.(class_embd|patch_embd\.(weight|weight\.1|bias)|norm_embd\..+)$/;
const OF_AUDIO = /^(a|mm\.a)\./;

/** Before the layers, in the order in which they are loaded. */
const FIRST = [
  'v.class_embd',
  'pre_ln.weight',
  'pre_ln.bias',
  'post_ln.weight',
  'post_ln.bias',
  'v.patch_embd.bias',
  'v.patch_embd.weight',
  'v.patch_embd.weight.1',
  'v.norm_embd.weight',
  'v.norm_embd.bias',
  'position_embd.weight',
];

/** Of each layer, in the order in which they are loaded; what is loaded by type comes after all layers. */
const OF_LAYER = (
  'attn_k.weight attn_q.weight attn_v.weight attn_out.weight attn_qkv.weight attn_k_norm.weight attn_q_norm.weight ln1.weight ' +
  'ln2.weight ls1.weight ls2.weight out_scale.weight attn_post_norm.weight ffn_post_norm.weight attn_k.bias attn_q.bias ' +
  'attn_v.bias attn_out.bias attn_qkv.bias ln1.bias ln2.bias ffn_gate_inp.weight ffn_gate_exps.weight ffn_up_exps.weight ' +
  'ffn_down_exps.weight exp_probs_b.weight ffn_up.weight ffn_up.bias ffn_gate.weight ffn_gate.bias ffn_down.weight ' +
  'ffn_down.bias attn_sinks'
).split(' ');

/** Of each of SAM's layers, after those. */
const OF_SAM_LAYER = (
  'attn.qkv.weight attn.qkv.bias attn.out.weight attn.out.bias pre_ln.weight pre_ln.bias post_ln.weight post_ln.bias ' +
  'attn.pos_h.weight attn.pos_w.weight mlp.lin1.weight mlp.lin1.bias mlp.lin2.weight mlp.lin2.bias'
).split(' ');
/** Before and after SAM's layers. */
const SAM_FIRST = ['v.sam.pos_embd.weight', 'v.sam.patch_embd.weight', 'v.sam.patch_embd.bias'];
const SAM_LAST = (
  'v.sam.neck.0.weight v.sam.neck.1.bias v.sam.neck.1.weight v.sam.neck.2.weight v.sam.neck.3.bias v.sam.neck.3.weight ' +
  'v.sam.net_2.weight v.sam.net_3.weight v.image_newline v.view_seperator mm.model.fc.weight mm.model.fc.bias'
).split(' ');
const SAM_LAYER = /^v\.sam\.blk\.(\d+)\.(.*)/;

/**
 * What an encoder loads, in one buffer of one device: `clip_model_loader::load_tensors` (`tools/mtmd/clip.cpp`, llama.cpp
 * v0.5.0). Never mapped from the file, never repacked.
 */
export class EncoderWeights {
  readonly bytes: number;
  private readonly addresses = new Map<string, number>();
  private readonly buffer: Buffer;

  constructor(
    private readonly shape: ProjectorShape,
    encoder: Encoder,
    nLayer: number,
    backend: Backend,
  ) {
    this.buffer = { device: backend.memory, usage: 'weights', repacked: false };
    let end = 0;
    for (const tensor of loaded(shape, encoder, nLayer)) {
      this.addresses.set(tensor.name, end);
      end += pad(backend.allocSize(tensorOf(tensor, this.buffer)), backend.alignment);
    }
    this.bytes = end;
  }

  /** A weight for one graph, or null where it is not loaded. */
  tensor(name: string): Tensor | null {
    const address = this.addresses.get(name);
    const info = this.shape.tensors.get(name);
    if (address === undefined || !info) return null;
    return Object.assign(tensorOf(info, this.buffer), { address });
  }
}

function tensorOf({ type, dims }: GgufTensor, buffer: Buffer): Tensor {
  const [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] = dims;
  const ne: Four = [ne0, ne1, ne2, ne3];
  return Object.assign(new Tensor(type, ne, contiguousStrides(type, ne)), { buffer });
}

function loaded(shape: ProjectorShape, { modality }: Encoder, nLayer: number): readonly GgufTensor[] {
  const prefix = modality === 'vision' ? 'v' : 'a';
  const alone = encodersOf(shape).length === 1;
  const block = new RegExp(`^${prefix}\\.blk\\.(\\d+)\\.(.*)`);
  const rank = ({ name }: GgufTensor): readonly number[] => {
    const first = FIRST.findIndex((one) => one === name || `${prefix}.${one}` === name);
    if (first >= 0) return [0, first];
    const [, layer, part = ''] = block.exec(name) ?? [];
    if (layer !== undefined && OF_LAYER.includes(part)) return [1, Number(layer), OF_LAYER.indexOf(part)];
    if (SAM_FIRST.includes(name)) return [2, SAM_FIRST.indexOf(name)];
    const [, samLayer, samPart = ''] = SAM_LAYER.exec(name) ?? [];
    if (samLayer !== undefined) return [3, Number(samLayer), OF_SAM_LAYER.indexOf(samPart)];
    return [4, SAM_LAST.includes(name) ? SAM_LAST.indexOf(name) : SAM_LAST.length];
  };
  return [...shape.tensors.values()]
    .filter(({ name }) => {
      if (NOT_BUFFERED.test(name) || Number(block.exec(name)?.[1] ?? -1) >= nLayer) return false;
      if (modality === 'vision') return !OF_AUDIO.test(name);
      return alone || OF_BOTH.test(name) || OF_AUDIO.test(name);
    })
    .map((tensor) => ({ tensor, rank: rank(tensor) }))
    .sort((a, b) => compared(a.rank, b.rank))
    .map(({ tensor }) => tensor);
}

function compared(a: readonly number[], b: readonly number[]): number {
  return a.map((one, i) => one - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
}
