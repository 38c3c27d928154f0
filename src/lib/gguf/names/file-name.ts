import { parseShardName } from './shard-name.js';

/** A quantization in a path, by where it stands. */
export interface NamedQuantization {
  /** Upper case, as in `Q4_K_M`. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const QUANTIZATION =
  /^(I?Q[1-8]_(0|1|K|K_(S|M|L|XL|XXL)|XXS|XS|S|M|NL|XL)|Q[2-8]|TQ[12]_0|MXFP4(_MOE)?|NVFP4|BF16|F16|F32|FP16|FP32)$/;
const LAST_TAG = /(?:^|[-._])((?:I?Q\d|TQ\d|MXFP|NVFP|B?F\d|FP\d)[A-Z0-9_]*)$/i;
const LIKE_ONE = /(?:^|[-._])(?:I?Q\d|TQ\d|MXFP|NVFP|B?F\d|FP\d)/i;
/** The longest of those above, and what stands before it. */
const LONGEST_TAG = 16;

/**
 * The quantization that a file name ends with, before `.gguf` or `-00001-of-00003.gguf`: `get_gguf_split_info`
 * (`common/download.cpp`, llama.cpp v0.5.0); what looks like one earlier in the name belongs to the model.
 */
export function quantizationInName(path: string): NamedQuantization | undefined {
  return lastTag(path, stemOf(path).length);
}

/** The same as publishers say it: Unsloth's own mixes of types, which llama.cpp takes for a part of the model's name, begin with `UD-`. */
export function quantizationLabel(path: string): NamedQuantization | undefined {
  const named = quantizationInName(path);
  return named && withMix(path, named);
}

/** True for a name with a type of ggml in it, as tags of publishers have it that are not llama.cpp's own (`UD-Q4_K_XL`, `Q4_K_P`). */
export function looksLikeQuantization(name: string): boolean {
  return LIKE_ONE.test(name);
}

/** The same for the folder that the file lies in, where there is one folder a quantization. */
function quantizationInFolder(path: string): NamedQuantization | undefined {
  const slash = path.lastIndexOf('/');
  const named = slash < 0 ? undefined : lastTag(path, slash);
  return named && withMix(path, named);
}

function withMix(path: string, { name, start, end }: NamedQuantization): NamedQuantization {
  const isMix = /(?:^|[-._/])UD-$/i.test(path.slice(Math.max(0, start - 4), start));
  return isMix ? { name: `UD-${name}`, start: start - 3, end } : { name, start, end };
}

/**
 * The path of the same model in another quantization: replaced in the file's name and in the folder named after it.
 * Undefined when neither says which it has.
 */
export function withOtherQuantization(path: string, wanted: string): string | undefined {
  const inName = quantizationLabel(path);
  const inFolder = quantizationInFolder(path);
  const places = [inName, inFolder].filter(
    (place): place is NamedQuantization => place !== undefined && (inName === undefined || place.name === inName.name),
  );
  if (places.length === 0) return undefined;
  return places.reduce(
    (text, { start, end }) => text.slice(0, start) + inCaseOf(text.slice(start, end), wanted) + text.slice(end),
    path,
  );
}

/** A path without its ending, and without the number of its part. */
export function stemOf(path: string): string {
  return parseShardName(path)?.prefix ?? path.replace(/\.gguf$/i, '');
}

function lastTag(path: string, end: number): NamedQuantization | undefined {
  const from = Math.max(0, end - LONGEST_TAG, path.lastIndexOf('/', end - 1) + 1);
  const tag = LAST_TAG.exec(path.slice(from, end))?.[1];
  const name = tag?.toUpperCase();
  if (tag === undefined || name === undefined || !QUANTIZATION.test(name)) return undefined;
  return { name, start: end - tag.length, end };
}

function inCaseOf(written: string, wanted: string): string {
  return written === written.toLowerCase() ? wanted.toLowerCase() : wanted.toUpperCase();
}
