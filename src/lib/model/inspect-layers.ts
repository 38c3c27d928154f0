import { ARCHITECTURE_RULES } from './architectures.js';
import type { ModelShape } from './model-shape.js';

/** How a language model is built. Where layers differ, every value that occurs is listed, smallest first. */
export interface LayerFacts {
  readonly count: number;
  /** Further layers that only predict tokens ahead and are not loaded by default. */
  readonly nextTokenLayers: number;
  readonly embedding: number;
  readonly feedForward: readonly number[];
  readonly attention: {
    readonly layers: number;
    readonly heads: readonly number[];
    readonly kvHeads: readonly number[];
    readonly keyLength: number;
    readonly valueLength: number;
  };
  readonly window: { readonly tokens: number; readonly layers: number; readonly chunked: boolean } | null;
  readonly recurrent: { readonly layers: number; readonly stateSize: number } | null;
  readonly experts: {
    readonly count: number;
    readonly used: readonly number[];
    readonly shared: number;
    readonly feedForward: readonly number[];
  } | null;
  readonly trainedContext: number;
  readonly vocabulary: number;
  readonly tokenizer: string | null;
}

export function inspectLayers({ hparams, keys, architecture }: ModelShape): LayerFacts {
  const numbers = Array.from({ length: hparams.nLayer }, (_, layer) => layer);
  const rule = ARCHITECTURE_RULES[architecture];
  const attends = (layer: number): boolean =>
    rule?.memory !== 'recurrent' &&
    (rule?.hybrid?.attention(hparams, layer) ?? hparams.isRecurrent[layer] !== true) &&
    (hparams.nHead[layer] ?? 0) > 0;
  const attention = numbers.filter(attends);
  const windowed = attention.filter((layer) => hparams.isSwa[layer]);
  const recurrent = numbers.filter((layer) => rule?.hybrid?.recurrent(hparams, layer) ?? hparams.isRecurrent[layer]);
  return {
    count: hparams.nLayer,
    nextTokenLayers: hparams.nLayerNextn,
    embedding: hparams.nEmbd,
    feedForward: distinct(hparams.nFf),
    attention: {
      layers: attention.length,
      heads: distinct(attention.map((layer) => hparams.nHead[layer] ?? 0)),
      kvHeads: distinct(attention.map((layer) => hparams.nHeadKv[layer] ?? 0)),
      keyLength: hparams.headK,
      valueLength: hparams.headV,
    },
    window:
      hparams.swa === 'none' || windowed.length === 0
        ? null
        : { tokens: hparams.nSwa, layers: windowed.length, chunked: hparams.swa === 'chunked' },
    recurrent: recurrent.length === 0 ? null : { layers: recurrent.length, stateSize: hparams.ssm.state },
    experts:
      hparams.nExpert === 0
        ? null
        : {
            count: hparams.nExpert,
            used: distinct(hparams.nExpertUsed),
            shared: keys.number('expert_shared_count', 0),
            feedForward: distinct(hparams.nFfExp),
          },
    trainedContext: hparams.nCtxTrain,
    vocabulary: hparams.nVocab,
    tokenizer: keys.text('tokenizer.ggml.model') ?? null,
  };
}

/** The values that occur, without 0, smallest first. */
function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].filter((value) => value !== 0).sort((a, b) => a - b);
}
