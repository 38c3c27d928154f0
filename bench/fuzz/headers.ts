import { readdirSync } from 'node:fs';
import type { GgufHeader } from '../../src/lib/gguf/header.js';
import { GgufHeaderParser } from '../../src/lib/gguf/header-parser.js';
import { buildGguf, type Entry, type GgufSpec } from '../../test/support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../test/support/models/profile.js';
import { changedSpec } from './changed-spec.js';
import { judgeHeader } from './judge.js';
import type { Random } from './random.js';
import type { Subject } from './subject.js';

const FOLDER = new URL('../../../../test/oracle/profiles/', import.meta.url).pathname;
export const PROFILES = readdirSync(FOLDER).map((name) => readProfile(FOLDER + name));

/** Keys of any architecture, with a value that some file has; `{arch}` stands for the architecture. */
const KEYS = PROFILES.flatMap(({ architecture, metadata }) =>
  metadata
    .filter(([key]) => key.startsWith(`${architecture}.`))
    .map(([key, value, type]): Entry => [key.replace(architecture, '{arch}'), value, type]),
);

/** A header whose bytes were changed, as a transfer or an attacker changes them. */
export const headerBytes: Subject = {
  name: 'header bytes',
  run: (random) => {
    const { header, dataBytes } = buildGguf(profileSpec(random.pick(PROFILES)));
    judgeHeader(parse(damagedBytes(header, random), dataBytes), random);
  },
};

/** A header whose values or tensors were changed, and that is well formed. */
export const headerValues: Subject = {
  name: 'header values',
  run: (random) => {
    const spec = profileSpec(random.pick(PROFILES));
    let changed: GgufSpec = spec;
    for (let changes = 1 + random.int(2); changes > 0; changes--) changed = changedSpec(changed, KEYS, random);
    const { header, dataBytes } = buildGguf(changed);
    judgeHeader(parse(header, dataBytes), random);
  },
};

/** Half of them are changed at their beginning only, where the keys are. */
export function damagedBytes(whole: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(whole);
  const reach = Math.min(bytes.length, random.pick([1024, 4096, bytes.length]));
  for (let changes = 1 + random.int(4); changes > 0; changes--) bytes[random.int(reach)] = random.int(256);
  return bytes.subarray(0, random.int(20) === 0 ? random.int(bytes.length) : bytes.length);
}

export function parse(header: Uint8Array, dataBytes: number): GgufHeader {
  const parser = new GgufHeaderParser('fuzzed.gguf', header.length + dataBytes);
  const chunk = 64 * 1024;
  for (let at = 0; at < header.length; at += chunk) if (parser.push(header.subarray(at, at + chunk))) break;
  return parser.end();
}
