import type { ChalkInstance } from 'chalk';
import type { GgufTensor, MetadataValue } from '../../gguf/header.js';
import type { HeaderFacts, LargeTensor } from '../../model/inspect-header.js';
import type { LayerFacts } from '../../model/inspect-layers.js';
import { printable } from '../../printable.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns, alignedLine, columnWidths } from '../layout/columns.js';

const LABEL_WIDTH = 15;
const LISTED_ELEMENTS = 8;

/** A fact's label and its text; an empty text is left out. */
type Row = readonly [label: string, text: string];

/** What a header says, as people read it: the model, how it is built, its tensor types, its largest tensors. */
export function inspectText(facts: HeaderFacts, colors: ChalkInstance): string {
  const title = [colors.bold(printable(facts.name ?? 'unnamed model')), `(${facts.quantization})`].join(' ');
  const rows: Row[] = [
    ['architecture', printable(facts.architecture ?? 'not given')],
    ['parameters', formatCount(facts.parameters)],
    ['size', sizeText(facts)],
    ...(facts.layers === null ? [] : layerRows(facts.layers)),
    ['licence', licenceText(facts)],
    ['format', `GGUF ${facts.format.version}${facts.format.byteOrder === 'big' ? ', big-endian' : ''}`],
  ];
  return [
    title,
    '',
    ...rows.filter(([, value]) => value !== '').map(([label, value]) => `  ${label.padEnd(LABEL_WIDTH)} ${value}`),
    '',
    ...table(['TENSOR TYPE', 'SHARE', 'SIZE', 'TENSORS'], typeRows(facts), [1, 2, 3], colors),
    '',
    ...table(['LARGEST TENSORS', 'TYPE', 'SHAPE', 'SIZE', ''], facts.largestTensors.map(largeRow), [3], colors),
  ].join('\n');
}

/** Every key with its value, in file order. */
export function metadataText(metadata: ReadonlyMap<string, MetadataValue>, colors: ChalkInstance): string {
  const rows = [...metadata].map(([key, value]) => [printable(key), valueText(value)]);
  return table(['KEY', 'VALUE'], rows, [], colors).join('\n');
}

/** Lines at a time. */
const PIECE = 256;

/** Every tensor, in file order, in pieces of some hundred lines: there may be 65,536, of which the text need not be held as a whole. */
export function* tensorsText(tensors: readonly GgufTensor[], files: number, colors: ChalkInstance): Generator<string> {
  const split = files > 1;
  const cells = ({ name, type, dims, bytes, file }: GgufTensor): string[] => [
    printable(name),
    type.name,
    dims.join(' × '),
    formatSize(bytes),
    ...(split ? [String(file + 1)] : []),
  ];
  const head = ['TENSOR', 'TYPE', 'SHAPE', 'SIZE', ...(split ? ['PART'] : [])];
  const rows = function* (): Generator<string[]> {
    yield head;
    for (const tensor of tensors) yield cells(tensor);
  };
  const widths = columnWidths(rows());
  let piece = [colors.bold(alignedLine(head, widths, RIGHT_OF_TENSOR))];
  for (const tensor of tensors) {
    if (piece.length === PIECE) {
      yield piece.join('\n');
      piece = [];
    }
    piece.push(alignedLine(cells(tensor), widths, RIGHT_OF_TENSOR));
  }
  yield piece.join('\n');
}

const RIGHT_OF_TENSOR = [3, 4];

function layerRows(layers: LayerFacts): Row[] {
  const { attention, window, recurrent, experts } = layers;
  const ahead = layers.nextTokenLayers > 0 ? `, ${layers.nextTokenLayers} more to predict tokens ahead` : '';
  return [
    ['layers', `${layers.count}${ahead}`],
    ['width', `${layers.embedding}${prefixed(', feed-forward ', layers.feedForward)}`],
    ['attention', attention.layers === 0 ? 'none' : attentionText(attention, layers.count)],
    [
      'sliding window',
      window === null
        ? ''
        : `${window.tokens} tokens on ${window.layers} of ${layers.count} layers${window.chunked ? ', chunked' : ''}`,
    ],
    [
      'recurrent',
      recurrent === null
        ? ''
        : `${recurrent.layers} of ${layers.count} layers${recurrent.stateSize > 0 ? `, state of ${recurrent.stateSize}` : ''}`,
    ],
    ['experts', experts === null ? '' : expertsText(experts)],
    ['context', `${layers.trainedContext} tokens`],
    [
      'vocabulary',
      `${layers.vocabulary} tokens${layers.tokenizer === null ? '' : ` (${printable(layers.tokenizer)})`}`,
    ],
  ];
}

function attentionText(
  { layers, heads, kvHeads, keyLength, valueLength }: LayerFacts['attention'],
  all: number,
): string {
  const sizes = keyLength === valueLength ? `${keyLength}` : `${keyLength} (K) and ${valueLength} (V)`;
  const where = layers === all ? '' : `, on ${layers} of ${all} layers`;
  return `${list(heads)} heads of ${sizes}, ${list(kvHeads)} KV heads${where}`;
}

function expertsText({ count, used, shared, feedForward }: NonNullable<LayerFacts['experts']>): string {
  const always = shared > 0 ? `, ${shared} shared` : '';
  return `${count}, ${list(used)} used a token${always}${prefixed(', feed-forward ', feedForward)}`;
}

function sizeText({ fileBytes, files, tensorBytes }: HeaderFacts): string {
  const parts = files.length === 1 ? '1 file' : `${files.length} files`;
  return `${fileBytes === null ? `${formatSize(tensorBytes)} of tensors` : formatSize(fileBytes)} in ${parts}`;
}

function licenceText({ licence: { id, name, link } }: HeaderFacts): string {
  const known = [id, name === id ? null : name, link].filter((part) => part !== null).map(printable);
  return known.length === 0 ? 'not given' : known.join(', ');
}

function typeRows({ tensorTypes }: HeaderFacts): string[][] {
  return tensorTypes.map(({ type, share, bytes, tensors }) => [
    type,
    percent(share),
    formatSize(bytes),
    String(tensors),
  ]);
}

function percent(share: number): string {
  return share > 0 && share < 0.0005 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`;
}

function largeRow({ name, type, dims, bytes, count }: LargeTensor): string[] {
  return [printable(name), type, dims.join(' × '), formatSize(bytes), count > 1 ? `× ${count}` : ''];
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
  colors: ChalkInstance,
): string[] {
  const [first = '', ...rest] = alignColumns([head, ...rows], right);
  return [colors.bold(first), ...rest];
}

function valueText(value: MetadataValue): string {
  if (isSkipped(value)) return `(not read, length ${value.length})`;
  if (typeof value !== 'object') return typeof value === 'string' ? printable(value) : String(value);
  const shown = value.slice(0, LISTED_ELEMENTS).map((element) => printable(String(element)));
  const more = value.length > LISTED_ELEMENTS ? `, … ${value.length} in all` : '';
  return `[${shown.join(', ')}${more}]`;
}

function isSkipped(value: MetadataValue): value is Extract<MetadataValue, { skipped: true }> {
  return typeof value === 'object' && 'skipped' in value;
}

function prefixed(prefix: string, values: readonly number[]): string {
  return values.length === 0 ? '' : prefix + list(values);
}

/** All of a few values, or from the smallest to the largest. */
function list(values: readonly number[]): string {
  return values.length > 3 ? `${values[0]} to ${values.at(-1)}` : values.join(' or ') || '0';
}

const COUNT_UNITS: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'K'],
];

/** 32763876352 as `32.8B`. */
function formatCount(count: number): string {
  const [unit, letter] = COUNT_UNITS.find(([least]) => count >= least) ?? [1, ''];
  return `${Number((count / unit).toFixed(1))}${letter}`;
}
