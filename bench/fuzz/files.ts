import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseBoundedJson } from '../../src/lib/bounded-json.js';
import { toDigest } from '../../src/lib/gguf/digest/digest.js';
import { fromDigest } from '../../src/lib/gguf/digest/read-digest.js';
import { profileHeader } from '../../test/support/models/profile.js';
import { damagedBytes, parse, PROFILES } from './headers.js';
import { judgeHeader } from './judge.js';
import type { Random } from './random.js';
import type { Subject } from './subject.js';
import { changedValues } from './values.js';

const ROOT = new URL('../../../../', import.meta.url).pathname;
const BUNDLED = readdirSync(`${ROOT}headers`).map((name) => readFileSync(`${ROOT}headers/${name}`, 'utf8'));
const FIXTURES = readdirSync(`${ROOT}test/fixtures`)
  .filter((name) => name.endsWith('.gguf.gz'))
  .map((name) => gunzipSync(readFileSync(`${ROOT}test/fixtures/${name}`)));

/** A cache entry that somebody changed: its text, or a value in it. */
export const cacheEntries: Subject = {
  name: 'cache entries',
  run: (random) => {
    const digest = toDigest(profileHeader(random.pick(PROFILES)));
    if (random.int(2) === 0)
      return judgeHeader(fromDigest(changedValues(toJson(JSON.stringify(digest)), random)), random);
    digested(random.damaged(JSON.stringify(digest)), random);
  },
};

/** The headers that come with the program, changed on disk. */
export const bundledHeaders: Subject = {
  name: 'bundled headers',
  run: (random) => {
    const text = random.pick(BUNDLED);
    const { digest } = JSON.parse(text) as { digest: unknown };
    if (random.int(2) === 0) return judgeHeader(fromDigest(changedValues(digest, random)), random);
    digested(random.damaged(JSON.stringify(digest)), random);
  },
};

/** Files that llama.cpp's own tools wrote, vocabularies and all. */
export const realFiles: Subject = {
  name: 'real files',
  run: (random) => judgeHeader(parse(damagedBytes(random.pick(FIXTURES), random), 2 ** 20), random),
};

function digested(text: string, random: Random): void {
  const json = toJson(text);
  if (json !== undefined) judgeHeader(fromDigest(json), random);
}

/** Undefined for what is not JSON, as the cache takes it. */
function toJson(text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
