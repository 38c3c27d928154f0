import { MAX_SHARDS } from './limits.js';

/** A file name such as `model-00002-of-00003.gguf`; `llama_split_path` in `src/llama.cpp` of llama.cpp v0.5.0. */
export interface ShardName {
  /** All before the number, folders and all. */
  readonly prefix: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
}

const SHARD = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/is;

/** What a path says about the split it belongs to; undefined for a file that is not a part, or is numbered wrong. */
export function parseShardName(path: string): ShardName | undefined {
  const match = SHARD.exec(path);
  if (match === null) return undefined;
  const [number, count] = [Number(match[2]), Number(match[3])];
  if (number < 1 || number > count || count > MAX_SHARDS) return undefined;
  return { prefix: match[1] ?? '', number, count };
}

/** The paths of all parts, in order. */
export function shardPaths(shard: Pick<ShardName, 'prefix' | 'count'>): string[] {
  const digits = (value: number): string => String(value).padStart(5, '0');
  return Array.from(
    { length: shard.count },
    (_, index) => `${shard.prefix}-${digits(index + 1)}-of-${digits(shard.count)}.gguf`,
  );
}
