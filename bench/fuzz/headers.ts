import { readdirSync } from 'node:fs';
import { estimateMemory } from '../../src/lib/estimate/estimate-memory.js';
import { GgufHeaderParser } from '../../src/lib/gguf/header-parser.js';
import { toDigest } from '../../src/lib/gguf/digest.js';
import type { GgufHeader } from '../../src/lib/gguf/header.js';
import { fromDigest } from '../../src/lib/gguf/read-digest.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { parseBoundedJson } from '../../src/lib/bounded-json.js';
import { buildGguf, type Entry, type GgufSpec, type TensorEntry } from '../../test/support/gguf-writer.js';
import { profileHeader, profileSpec, readProfile } from '../../test/support/profile.js';
import type { Random } from './random.js';
import { Finding, type Subject } from './subject.js';

const FOLDER = new URL('../../../../test/oracle/profiles/', import.meta.url).pathname;
const PROFILES = readdirSync(FOLDER).map((name) => readProfile(FOLDER + name));
const LAUNCHES: readonly LaunchOptions[] = [
  { accelerator: 'metal', ctxSize: 4096 },
  { accelerator: 'cpu', ctxSize: 512, parallel: 2, repack: false },
  { accelerator: 'cuda', ctxSize: 2048, gpuLayers: 1 },
];

/** A header whose bytes were changed, as a transfer or an attacker changes them. */
export const headerBytes: Subject = {
  name: 'header bytes',
  run: (random) => {
    const { header, dataBytes } = buildGguf(profileSpec(random.pick(PROFILES)));
    const bytes = Uint8Array.from(header);
    for (let changes = 1 + random.int(4); changes > 0; changes--) bytes[random.int(bytes.length)] = random.int(256);
    judge(parse(bytes.subarray(0, random.int(20) === 0 ? random.int(bytes.length) : bytes.length), dataBytes), random);
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
    judge(parse(header, dataBytes), random);
  },
};

/** A cache entry that somebody changed. */
export const cacheEntries: Subject = {
  name: 'cache entries',
  run: (random) => {
    const text = JSON.stringify(toDigest(profileHeader(random.pick(PROFILES))));
    let json: unknown;
    try {
      json = parseBoundedJson(random.damaged(text));
    } catch (error) {
      if (error instanceof SyntaxError) return;
      throw error;
    }
    judge(fromDigest(json), random);
  },
};

function parse(header: Uint8Array, dataBytes: number): GgufHeader {
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
  switch (random.int(6)) {
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
    default:
      tensors.push({
        ...tensor,
        name: random.pick([`${tensor.name}x`, 'v.blk.0.attn_q.weight', 'blk.600.attn_q.weight']),
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
  if (typeof value === 'string') return [key, random.pick([`${value}x`, 'constructor', '', '\u001b[2J']), type];
  if (Array.isArray(value)) return [key, value.slice(random.int(2)), type];
  return [random.pick([`${key}x`, key]), value, type];
}

/** Whatever is estimated takes what the weights take, and is a number. */
function judge(header: GgufHeader, random: Random): void {
  const shape = describeModel(header);
  const launch = random.pick(LAUNCHES);
  const { parts } = estimateMemory(shape, launch);
  for (const { name, bytes } of parts) {
    if (!Number.isFinite(bytes) || bytes < 0) throw new Finding(`${name} takes ${bytes} bytes`);
  }
  const counted = parts.filter(({ name }) => name.startsWith('weights')).reduce((sum, { bytes }) => sum + bytes, 0);
  const least = leastBytes(shape);
  if (counted < least) throw new Finding(`${counted} bytes are counted of ${least} of ${shape.architecture}'s weights`);
}

/** Of the blocks that are run; those that predict ahead are left out. */
function leastBytes({ tensors, hparams }: ModelShape): number {
  let sum = 0;
  for (const { name, bytes } of tensors.values()) {
    const block = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
    if (block < hparams.nLayer) sum += bytes;
  }
  return sum;
}
