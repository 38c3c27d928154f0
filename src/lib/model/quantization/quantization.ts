import type { GgufTensor } from '../../gguf/header.js';
import { quantizationLabel } from '../../gguf/names/file-name.js';
import type { Keys } from '../keys.js';

/** `enum llama_ftype` (`include/llama.h`, llama.cpp v0.5.0), in the words that file names use. */
export const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  19: 'IQ2_XXS',
  20: 'IQ2_XS',
  21: 'Q2_K_S',
  22: 'IQ3_XS',
  23: 'IQ3_XXS',
  24: 'IQ1_S',
  25: 'IQ4_NL',
  26: 'IQ3_S',
  27: 'IQ3_M',
  28: 'IQ2_S',
  29: 'IQ2_M',
  30: 'IQ4_XS',
  31: 'IQ1_M',
  32: 'BF16',
  36: 'TQ1_0',
  37: 'TQ2_0',
  38: 'MXFP4',
  39: 'NVFP4',
  40: 'Q1_0',
  41: 'Q2_0',
  42: 'F8_E4M3',
};

/**
 * What a file is quantized to, as its publisher says it: the name's tag where that is a mix of its own (`UD-Q4_K_XL`,
 * `Q6_K_L`), of which the header only names what it began with.
 */
export function publishedQuantization(own: string, path: string | undefined): string {
  const label = path === undefined ? undefined : quantizationLabel(path)?.name;
  return label === undefined || label.length <= own.length || !isMix(label) ? own : label;
}

/** The quantization that a file's name says, where its header says another one; undefined where either says none that is known. */
export function misnamedQuantization(keys: Keys, path: string): string | undefined {
  const label = quantizationLabel(path)?.name;
  const own = FILE_TYPES[keys.number('general.file_type', -1)];
  if (label === undefined || own === undefined || label === own) return undefined;
  return Object.values(FILE_TYPES).includes(label) ? label : undefined;
}

function isMix(label: string): boolean {
  return /^UD-|_X?L$/.test(label) && !Object.values(FILE_TYPES).includes(label);
}

/** The quantization that the file says it has, or else the type that most of its bytes have. */
export function quantizationOf(keys: Keys, tensors: readonly GgufTensor[]): string {
  const named = FILE_TYPES[keys.number('general.file_type', -1)];
  if (named) return named;
  const bytesByType = new Map<string, number>();
  for (const { type, bytes } of tensors) bytesByType.set(type.name, (bytesByType.get(type.name) ?? 0) + bytes);
  const [most] = [...bytesByType].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 'unknown';
}
