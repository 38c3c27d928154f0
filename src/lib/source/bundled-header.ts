import { existsSync, readFileSync } from 'node:fs';
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
export function readBundledHeader(id: string, quantization: string): BundledHeader | undefined {
  const file = new URL(`${encodeURIComponent(id)}.${encodeURIComponent(quantization)}.json`, FOLDER);
  if (!existsSync(file)) return undefined;
  const { derived, digest } = JSON.parse(readFileSync(file, 'utf8')) as { derived?: string; digest: unknown };
  return { header: fromDigest(digest), derived: derived !== undefined };
}
