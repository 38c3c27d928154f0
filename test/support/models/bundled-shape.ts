import { readdirSync } from 'node:fs';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';

const HEADERS = new URL('../../../headers/', import.meta.url);

/** `[id, quantization]` of every header that ships with the program. */
export function bundledNames(): readonly (readonly [id: string, quantization: string])[] {
  return readdirSync(HEADERS).flatMap((file) => {
    const [, id, quantization] = /^(.*)\.([A-Z0-9_]+)\.json$/.exec(file) ?? [];
    return id === undefined || quantization === undefined ? [] : [[id, quantization] as const];
  });
}

export async function bundledShape(id: string, quantization: string): Promise<ModelShape> {
  const bundled = readBundledHeader(id, quantization);
  if (bundled === undefined) throw new Error(`no bundled header of ${id} in ${quantization}`);
  return describeModel(bundled.header);
}
