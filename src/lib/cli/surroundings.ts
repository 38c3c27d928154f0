import type { Config } from '@oclif/core';
import type { ReadOptions } from '../source/session.js';

/** What a command line says of the outside world. */
export interface Surroundings {
  readonly config: Config;
  readonly catalog: string | undefined;
  readonly offline: boolean;
  /** The most that one reading takes. */
  readonly readingMs?: number | undefined;
  /** No spinner. */
  readonly quiet: boolean;
}

/** What the flags say of the outside world. */
export function surroundingsOf(
  config: Config,
  flags: Pick<Surroundings, 'catalog' | 'offline'> & { readonly 'read-timeout'?: number | undefined },
  quiet: boolean,
): Surroundings {
  const { catalog, offline, 'read-timeout': readingMs } = flags;
  return { config, catalog, offline, readingMs, quiet };
}

/** How sources are read there. */
export function readingOf({ config, offline, readingMs }: Surroundings): ReadOptions {
  return { offline, readingMs, cacheDir: config.cacheDir, env: process.env };
}
