import { readFile } from 'node:fs/promises';
import type { GgufHeader } from '../gguf/header.js';
import { fromDigest } from '../gguf/digest/read-digest.js';

const FOLDER = new URL('../../../headers/', import.meta.url);

export interface BundledHeader {
  readonly header: GgufHeader;
  /** Worked out from published sizes and quantization rules rather than read from the file. */
  readonly derived: boolean;
}

/** What stands for the quantization where the projector of an entry is meant. */
export const PROJECTOR = 'mmproj';

/** The header that ships with this program for an entry of the bundled catalogue, if there is one. */
export async function readBundledHeader(id: string, quantization: string): Promise<BundledHeader | undefined> {
  const file = new URL(`${encodeURIComponent(id)}.${encodeURIComponent(quantization)}.json`, FOLDER);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { derived, digest } = JSON.parse(text) as { derived?: string; digest: unknown };
  return { header: fromDigest(digest), derived: derived !== undefined };
}
