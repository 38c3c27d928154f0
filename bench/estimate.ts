import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { estimateMemory } from '../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../src/lib/runtime/launch-options.js';
import { blockNumbers, profileHeader, type Profile, readProfile } from '../test/support/models/profile.js';

/*
 * Estimates a second of CPU time, compiler and garbage collector included, for each architecture's largest model, each with another context:
 * `npm run bench:estimate [PART OF AN ARCHITECTURE'S NAME]`.
 */

const PROFILES = fileURLToPath(new URL('../../../test/oracle/profiles/', import.meta.url));
/** Estimates and seconds before the clock starts, so that V8 has compiled what there is to compile. */
const WARM_UP = { estimates: 300, seconds: 1 };
/** None comes twice: what was planned before is not planned again. */
const CONTEXTS = { least: 8192, step: 256 };
const MEASURED = { estimates: 10, seconds: 0.3 };

interface Column {
  readonly title: string;
  readonly launchOf: (layers: number) => LaunchOptions;
  /** Fewer estimates a second than this are marked. */
  readonly wanted: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'Metal', launchOf: () => ({ accelerator: 'metal' }), wanted: 200 },
  {
    title: 'half on Metal',
    launchOf: (layers) => ({ accelerator: 'metal', gpuLayers: layers >> 1 }),
    wanted: 100,
  },
  { title: 'CPU', launchOf: () => ({ accelerator: 'cpu' }), wanted: 200 },
  { title: 'CUDA', launchOf: () => ({ accelerator: 'cuda' }), wanted: 200 },
];

function weightsOf({ tensors }: Profile): number {
  const each = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  return tensors.reduce((sum, { dims, blocks }) => sum + each(dims) * (blocks ? blockNumbers(blocks).length : 1), 0);
}

function largestByArchitecture(): ReadonlyMap<string, Profile> {
  const largest = new Map<string, Profile>();
  for (const name of readdirSync(PROFILES)) {
    const profile = readProfile(`${PROFILES}${name}`);
    const known = largest.get(profile.architecture);
    if (!known || weightsOf(profile) > weightsOf(known)) largest.set(profile.architecture, profile);
  }
  return largest;
}

/** CPU seconds of one estimate. */
function secondsOf(estimate: () => unknown, atLeast: typeof MEASURED): number {
  const before = process.cpuUsage();
  for (let count = 1; ; count++) {
    estimate();
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    if (count >= atLeast.estimates && seconds >= atLeast.seconds) return seconds / count;
  }
}

function perSecond(estimate: () => unknown): number {
  secondsOf(estimate, WARM_UP);
  return 1 / secondsOf(estimate, MEASURED);
}

const part = process.argv[2] ?? '';
const titles = COLUMNS.map(({ title }) => title.padStart(14)).join('');
console.log(`${'architecture'.padEnd(18)}layers${titles}   (estimates a second of CPU time; * = below what is wanted)`);
for (const [architecture, profile] of [...largestByArchitecture()].sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (!architecture.includes(part)) continue;
  const shape = describeModel(profileHeader(profile));
  const { nLayer } = shape.hparams;
  const cells = COLUMNS.map(({ launchOf, wanted }) => {
    try {
      let count = 0;
      const ctxSize = (): number => CONTEXTS.least + CONTEXTS.step * count++;
      const speed = perSecond(() => estimateMemory(shape, { ...launchOf(nLayer), ctxSize: ctxSize() }));
      return `${speed.toFixed(0)}${speed < wanted ? '*' : ' '}`;
    } catch {
      return 'refused ';
    }
  });
  console.log(architecture.padEnd(18), String(nLayer).padStart(5), ...cells.map((cell) => cell.padStart(13)));
}
