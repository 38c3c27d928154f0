import { readdirSync } from 'node:fs';
import { estimateLaunch } from '../../src/lib/estimate/estimate-launch.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import { describeShape } from '../../src/lib/model/describe-shape.js';
import { inspectHeader } from '../../src/lib/model/inspect-header.js';
import type { Shape } from '../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { buildGguf, type Entry, type GgufSpec } from '../../test/support/models/gguf-writer.js';
import { profileHeader, profileSpec, readProfile } from '../../test/support/models/profile.js';
import { changedSpec } from './changed-spec.js';
import { printedAsJson } from './harmless.js';
import { parse, PROFILES } from './headers.js';
import type { Random } from './random.js';
import { Finding, type Subject } from './subject.js';

const ORACLE = new URL('../../../../test/oracle/', import.meta.url).pathname;
const profilesIn = (folder: string) =>
  readdirSync(ORACLE + folder).map((name) => readProfile(`${ORACLE}${folder}/${name}`));
const PROJECTORS = [...profilesIn('projectors/profiles'), ...profilesIn('projectors/families')];
const DRAFTS = profilesIn('drafts/profiles');
const KEYS = [...PROJECTORS, ...DRAFTS].flatMap(({ architecture, metadata }) =>
  metadata
    .filter(([key]) => key.startsWith(`${architecture}.`))
    .map(([key, value, type]): Entry => [key.replace(architecture, '{arch}'), value, type]),
);
const TARGETS = PROFILES.filter(({ id }) => /llama-3\.1-8b|gemma-3-4b|qwen3\.6-27b|gemma-4-12b/.test(id)).map(
  (profile) => describeModel(profileHeader(profile)),
);

const LAUNCHES: readonly LaunchOptions[] = [
  { accelerator: 'metal', ctxSize: 4096, images: 'any', audioSeconds: 'any' },
  { accelerator: 'cpu', ctxSize: 512, images: [{ width: 4000, height: 30 }], flashAttn: 'off' },
  { accelerator: 'cuda', ctxSize: 8192, images: 'any', mmprojOffload: false },
];

/** What is loaded beside a model: its projector, its draft, an adapter, whose headers anyone may have written, too. */
export const projectors: Subject = {
  name: 'projectors',
  run: (random) => loaded(changedHeader(profileSpec(random.pick(PROJECTORS)), random), random),
};

export const drafts: Subject = {
  name: 'drafts and adapters',
  run: (random) => loaded(changedHeader(profileSpec(random.pick(DRAFTS)), random), random),
};

function changedHeader(spec: GgufSpec, random: Random): Shape {
  let changed = spec;
  for (let changes = 1 + random.int(2); changes > 0; changes--) changed = changedSpec(changed, KEYS, random);
  const { header, dataBytes } = buildGguf(changed);
  const parsed = parse(header, dataBytes);
  printedAsJson(inspectHeader(parsed));
  return describeShape(parsed);
}

function loaded(shape: Shape, random: Random): void {
  const launch = random.pick(LAUNCHES);
  const model = random.pick(TARGETS);
  const files =
    shape.kind === 'projector'
      ? { model, projector: shape }
      : shape.kind === 'adapter'
        ? { model, adapters: [shape] }
        : { model, draft: shape };
  const { parts, growth } = estimateLaunch(files, launch);
  for (const { name, of, bytes } of parts) {
    if (!Number.isFinite(bytes) || bytes < 0) throw new Finding(`${name} of the ${of} takes ${bytes} bytes`);
  }
  for (const { name, of, maxBytes } of growth) {
    if (!Number.isFinite(maxBytes) || maxBytes < 0)
      throw new Finding(`${name} of the ${of} grows by ${maxBytes} bytes`);
  }
}
