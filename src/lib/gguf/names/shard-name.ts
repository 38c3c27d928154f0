import { MAX_SHARDS } from '../limits.js';

/** A file name such as `model-00002-of-00003.gguf`; `llama_split_path` in `src/llama.cpp` of llama.cpp v0.5.0. */
export interface ShardName {
  /** All before the number, folders and all. */
  readonly prefix: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
}

const SHARD = /^-(\d{5})-of-(\d{5})\.gguf$/i;
const SHARD_LENGTH = '-00001-of-00002.gguf'.length;

/** What a path says about the split it belongs to; undefined for a file that is not a part, or is numbered wrong. */
export function parseShardName(path: string): ShardName | undefined {
  const match = SHARD.exec(path.slice(-SHARD_LENGTH));
  if (match === null) return undefined;
  const [number, count] = [Number(match[1]), Number(match[2])];
  if (number < 1 || number > count || count > MAX_SHARDS) return undefined;
  return { prefix: path.slice(0, -SHARD_LENGTH), number, count };
}

/** The path of one part, numbered from 1. */
export function shardPath({ prefix, count }: Pick<ShardName, 'prefix' | 'count'>, number: number): string {
  const digits = (value: number): string => String(value).padStart(5, '0');
  return `${prefix}-${digits(number)}-of-${digits(count)}.gguf`;
}

/** The paths of all parts, in order. */
export function shardPaths(shard: Pick<ShardName, 'prefix' | 'count'>): string[] {
  return Array.from({ length: shard.count }, (_, index) => shardPath(shard, index + 1));
}
