import { constants } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GgufHeaderParser } from '../gguf/header-parser.js';
import type { GgufHeader } from '../gguf/header.js';
import { nearest } from '../nearest.js';
import { printable, shown } from '../printable.js';
import { whyNotRead } from '../system-words.js';
import { errorCode } from '../error-code.js';
import { readParts } from './read-parts.js';
import { cancelled } from './http/retry.js';
import { SourceError } from './source-error.js';

/** One read of the disk; a header of 6 MB takes 24. */
const CHUNK_BYTES = 256 * 1024;

/** `OWNER/REPO`, or a file in it. */
const IN_REPOSITORY = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(?:\/.+\.gguf)?$/i;

const FOLDER = 'it is a folder; name the .gguf file in it';

export interface ReadHeaderOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of each piece that was read, in bytes. */
  readonly onRead?: (bytes: number) => void;
  /** False: where nothing is, its folder is not looked through for what was meant. */
  readonly suggests?: boolean;
}

/**
 * Reads the header of a local GGUF file, of which tensor data is never touched; for the first part of a split model
 * (`-00001-of-0000N.gguf`), the headers of all parts as one. Throws `GgufError` for what the bytes say, `SourceError`
 * for what the file system says; exit code 3 both.
 */
export async function readGgufHeader(path: string, options: ReadHeaderOptions = {}): Promise<GgufHeader> {
  const { header } = await readParts(path, async (part) => ({ header: await readLocalPart(part, options) }));
  return header;
}

/** Reads the header of one file, part or not, in order and only as far as the header goes. */
export async function readLocalPart(path: string, options: ReadHeaderOptions = {}): Promise<GgufHeader> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for somebody to write to it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isDirectory()) throw unreadable(path, FOLDER);
    if (!stat.isFile()) throw unreadable(path, 'it is not a file but a device or a pipe');
    return await parseFile(file, new GgufHeaderParser(path, stat.size), options);
  } catch (error) {
    throw await whyUnread(path, error, options);
  } finally {
    await file?.close();
  }
}

/** What a person is told of a file that cannot be opened or read; what was thrown, if that says it. */
export async function whyUnread(path: string, error: unknown, { suggests }: ReadHeaderOptions): Promise<unknown> {
  const reason = errorCode(error) === 'EISDIR' ? FOLDER : whyNotRead(error);
  if (reason === undefined) return error;
  const suggestions = isMissing(error) && suggests !== false ? await meantInstead(path) : [];
  return unreadable(path, reason, error, suggestions);
}

/** Nothing is there. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
}

async function parseFile(file: FileHandle, parser: GgufHeaderParser, options: ReadHeaderOptions): Promise<GgufHeader> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    if (options.signal?.aborted === true) throw cancelled(options.signal);
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return parser.end();
    options.onRead?.(bytesRead);
    if (parser.push(buffer.subarray(0, bytesRead))) return parser.end();
  }
}

function unreadable(
  path: string,
  reason = 'it cannot be read',
  cause?: unknown,
  suggestions: readonly string[] = [],
): SourceError {
  return new SourceError('SOURCE_FILE_UNREADABLE', `cannot read ${printable(path)}: ${reason}`, { cause, suggestions });
}

/** What somebody may have meant by a path at which there is nothing: a file of nearly that name, or a repository of the hub. */
async function meantInstead(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.gguf$/i.test(name));
  const near = nearest(basename(path), names).map((name) => shown(join(folder, name)));
  if (near.length > 0) return [`did you mean ${near.join(' or ')}?`];
  return IN_REPOSITORY.test(path) ? [`hf:${shown(path)} reads it from Hugging Face`] : [];
}
