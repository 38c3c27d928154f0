import { basename } from 'node:path';
import { errorCode } from '../error-code.js';
import type { GgufHeader } from '../gguf/header.js';
import { joinShards, splitCount } from '../gguf/join-shards.js';
import { MAX_SHARDS } from '../gguf/limits.js';
import { parseShardName, type ShardName, shardPath, shardPaths } from '../gguf/names/shard-name.js';
import { printable, shown } from '../printable.js';
import { mapLimited } from './map-limited.js';
import { SourceError } from './source-error.js';

/** Parts of one model that are read side by side; a host is not asked for more at once. */
const PARTS_AT_ONCE = 6;

/** A model's header, and the readings of its files that it was made of. */
export interface WholeReading<T> {
  readonly header: GgufHeader;
  /** Of the file that was named. */
  readonly named: T;
  readonly parts: readonly T[];
}

/**
 * Reads the file at `path` with `read`, then, when its name says that it is the first part of a split model, all other parts side
 * by side. Throws `GGUF_SHARDS_INVALID` when they do not belong together, and `SOURCE_NOT_FIRST_PART` for another part, with which
 * llama.cpp loads no model (`llama_model_loader` in `src/llama-model-loader.cpp`, v0.5.0), wherever it comes from.
 */
export async function readParts<T extends { readonly header: GgufHeader }>(
  path: string,
  read: (path: string) => Promise<T>,
): Promise<WholeReading<T>> {
  const shard = parseShardName(path);
  const named = await read(path);
  if (shard === undefined || shard.count === 1) {
    requireWhole(named.header, path);
    return { header: named.header, named, parts: [named] };
  }
  if (shard.number !== 1) throw notFirst(path, shard);
  const parts = await mapLimited(shardPaths(shard), PARTS_AT_ONCE, (part, index) =>
    index === 0
      ? Promise.resolve(named)
      : read(part).catch((error: unknown) => {
          throw isNoSuchFile(error) ? missingPart(path, shardPath(shard, index + 1), index + 1, shard.count) : error;
        }),
  );
  const headers = parts.map(({ header }) => header);
  return { header: joinShards(headers, path), named, parts };
}

function notFirst(path: string, shard: ShardName): SourceError {
  const { number, count } = shard;
  const problem = `${printable(path)} is part ${number} of ${count}, and llama.cpp loads a split model by its first part only`;
  const suggestions = [`name ${shown(basename(shardPath(shard, 1)))} instead, which finds the others`];
  return new SourceError('SOURCE_NOT_FIRST_PART', problem, { suggestions });
}

/** Of a file of this machine. */
function isNoSuchFile(error: unknown): boolean {
  return error instanceof SourceError && errorCode(error.cause) === 'ENOENT';
}

function missingPart(path: string, part: string, number: number, count: number): SourceError {
  const message = `cannot read ${printable(path)}: part ${number} of ${count} is missing; there is no ${printable(part)}`;
  const suggestions = [`put ${shown(basename(part))} beside it; llama-server needs every part`];
  return new SourceError('SOURCE_FILE_UNREADABLE', message, { suggestions });
}

/** A part under a name that does not say so: its siblings cannot be found. */
function requireWhole(header: GgufHeader, path: string): void {
  const count = splitCount(header);
  if (count <= 1) return;
  if (count > MAX_SHARDS) {
    throw new SourceError(
      'SOURCE_FILE_UNREADABLE',
      `${printable(path)} says that it is one of ${count} parts of a split model, more than the ${MAX_SHARDS} that are read; ` +
        'fetch it again, or merge it with gguf-split',
    );
  }
  throw new SourceError(
    'SOURCE_FILE_UNREADABLE',
    `${printable(path)} is one of ${count} parts of a split model, but is not named like one; ` +
      `give it back its name, which ends in -00001-of-${String(count).padStart(5, '0')}.gguf`,
  );
}
