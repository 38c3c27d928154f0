import { readdirSync } from 'node:fs';
import type { GgufHeader } from '../../src/lib/gguf/header.js';
import { GgufHeaderParser } from '../../src/lib/gguf/header-parser.js';
import { buildGguf, type Entry, type GgufSpec, type TensorEntry } from '../../test/support/gguf-writer.js';
import { profileSpec, readProfile } from '../../test/support/profile.js';
import { judgeHeader } from './judge.js';
import type { Random } from './random.js';
import type { Subject } from './subject.js';

const FOLDER = new URL('../../../../test/oracle/profiles/', import.meta.url).pathname;
export const PROFILES = readdirSync(FOLDER).map((name) => readProfile(FOLDER + name));

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
    for (let changes = 1 + random.int(2); changes > 0; changes--) changed = changedSpec(changed, random);
    const { header, dataBytes } = buildGguf(changed);
    judgeHeader(parse(header, dataBytes), random);
  },
};

export function damagedBytes(whole: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(whole);
  for (let changes = 1 + random.int(4); changes > 0; changes--) bytes[random.int(bytes.length)] = random.int(256);
  return bytes.subarray(0, random.int(20) === 0 ? random.int(bytes.length) : bytes.length);
}

export function parse(header: Uint8Array, dataBytes: number): GgufHeader {
  const parser = new GgufHeaderParser('fuzzed.gguf', header.length + dataBytes);
  const chunk = 64 * 1024;
  for (let at = 0; at < header.length; at += chunk) if (parser.push(header.subarray(at, at + chunk))) break;
  return parser.end();
}

function changedSpec(spec: GgufSpec, random: Random): GgufSpec {
  const metadata = [...(spec.metadata ?? [])];
  const tensors = [...(spec.tensors ?? [])];
  const [entryAt, tensorAt] = [random.int(metadata.length), random.int(tensors.length)];
  const [entry, tensor] = [metadata[entryAt], tensors[tensorAt]];
  if (entry === undefined || tensor === undefined) return spec;
  switch (random.int(9)) {
    case 0:
    case 1:
    case 2:
      metadata[entryAt] = changedEntry(entry, random);
      break;
    case 3:
      tensors.splice(tensorAt, 1);
      break;
    case 4:
      tensors[tensorAt] = { ...tensor, dims: tensor.dims.map((dim) => (random.int(2) === 0 ? dim : Number(dim) * 2)) };
      break;
    case 5:
      tensors[tensorAt] = {
        ...tensor,
        dims: tensor.dims.map((dim) => (random.int(2) === 0 ? dim : random.oddNumber())),
      };
      break;
    case 6:
      tensors[tensorAt] = { ...tensor, type: random.int(64) };
      break;
    case 7:
      tensors[tensorAt] = { ...tensor, offset: random.pick([0, 32, 2 ** 40, 2n ** 64n - 32n, random.int(2 ** 31)]) };
      break;
    default:
      tensors.push({
        ...tensor,
        name: random.pick([tensor.name, `${tensor.name}x`, 'v.blk.0.attn_q.weight', 'blk.600.attn_q.weight']),
      } satisfies TensorEntry);
  }
  return { ...spec, metadata, tensors };
}

function changedEntry([key, value, type]: Entry, random: Random): Entry {
  if (typeof value === 'number' && !type.startsWith('f')) {
    const bits = type.endsWith('8') ? 8 : type.endsWith('16') ? 16 : 32;
    const odd = random.oddNumber(value);
    return [key, type.startsWith('u') ? Math.abs(odd) % 2 ** bits : Math.trunc(odd / 2) % 2 ** (bits - 1), type];
  }
  if (typeof value === 'number' && type.startsWith('f')) {
    return [key, random.pick([0, -1, NaN, Infinity, 1e38, -value]), type];
  }
  if (typeof value === 'string') return [key, random.pick([`${value}x`, 'constructor', '', '\u001b[2J']), type];
  if (Array.isArray(value)) return [key, value.slice(random.int(2)), type];
  return [random.pick([`${key}x`, key]), value, type];
}
