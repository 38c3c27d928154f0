import * as ggml from '../../../../ggml/ops/ops.js';
import type { Tensor } from '../../../../ggml/tensor.js';
import type { GraphBuilder, NormKind } from '../../../builder.js';
import { cropLate, softCap } from '../../../graph-end.js';
import type { DecoderSpec, HeadSpec, OutputRows } from '../spec.js';

/** From the last layer's output to the logits. */
export function finishDecoder(
  g: GraphBuilder,
  spec: DecoderSpec,
  kind: NormKind,
  lastLayer: Tensor,
  outIds: Tensor,
): void {
  const { head = {}, bareNorms } = spec;
  const outputs = outputRows(g, spec);
  let cur = lastLayer;
  if (outputs === 'after-layers') {
    g.keepHidden(cur);
    cur = cropLate(g, cur, outIds);
  }
  if (head.embeddings) return g.finishWithEmbeddings(cur, kind, head.embeddings);
  const weight = bareNorms ? null : g.need('output_norm.weight');
  cur = g.norm(cur, weight, weight && g.weight('output_norm.bias'), kind, -1);
  if (outputs === 'after-norm' || head.keepsNormed) g.keepHidden(cur);
  if (outputs === 'after-norm') cur = cropLate(g, cur, outIds);
  g.embeddings = cur;
  if (head.scaledRows) cur = ggml.scale(cur);
  const logits = g.mulMat(head.tied ? g.need('token_embd.weight') : g.outputHead(), cur, g.weight('output.scale'));
  g.finish(adapted(g, head, g.addBias(logits, g.weight('output.bias'))));
}

/** Where rows without output are dropped, in this context. */
export function outputRows(g: GraphBuilder, { outputs = 'in-last-layer', keepsForDraft }: DecoderSpec): OutputRows {
  return keepsForDraft && g.params.role.keepsAllRows ? keepsForDraft : outputs;
}

function adapted(g: GraphBuilder, { scaled, softCap: capped, adapt }: HeadSpec, logits: Tensor): Tensor {
  const given = (key: string): boolean => g.shape.keys.real(key, 0) !== 0;
  let cur = logits;
  if (scaled === 'always' || (scaled === 'if-given' && given('logit_scale'))) cur = ggml.scale(cur);
  if (capped && given('final_logit_softcapping')) cur = softCap(cur);
  return adapt ? adapt(g, cur) : cur;
}
