import { quantizationInName } from '../../gguf/names/file-name.js';
import type { HubFile } from './hub-files.js';

/** What the sibling is to go with. */
interface Beside {
  /** Path of the model; '' where the repository has no model of that quantization. */
  readonly model: string;
  /** As `-hf OWNER/REPO:QUANT` names it. */
  readonly quantization?: string | undefined;
}

/**
 * `find_best_sibling` (`common/download.cpp`, llama.cpp v0.5.0): of the files with `keyword` in their path, in the model's
 * folder or one above it, the deepest first, then one that ends with the quantization asked for, then the one whose bits
 * are nearest, then the first listed.
 */
export function chooseSibling(files: readonly HubFile[], keyword: string, beside: Beside): HubFile | undefined {
  const { model, quantization } = beside;
  const folders = foldersOf(model);
  const bits = quantization === undefined ? bitsOf(model) : firstNumber(quantization);
  const ending = quantization === undefined ? undefined : `-${quantization.toUpperCase()}.`;
  const ranked = files
    .filter(({ path }) => path.includes(keyword))
    .map((file) => ({
      file,
      own: foldersOf(file.path),
      isExact: ending !== undefined && file.path.toUpperCase().includes(ending) ? 1 : 0,
      distance: Math.abs(bitsOf(file.path) - bits),
    }))
    .filter(({ own }) => own.every((folder, i) => folder === folders[i]));
  return ranked.sort((a, b) => b.own.length - a.own.length || b.isExact - a.isExact || a.distance - b.distance)[0]
    ?.file;
}

function foldersOf(path: string): readonly string[] {
  return path.split('/').slice(0, -1);
}

/** `extract_quant_bits`: the first number of the quantization in a file's name; 0 where it names none. */
function bitsOf(path: string): number {
  return firstNumber(quantizationInName(path)?.name ?? '');
}

function firstNumber(text: string): number {
  return Number(/\d+/.exec(text)?.[0] ?? 0);
}
