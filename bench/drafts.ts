import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../src/lib/estimate/estimate-launch.js';
import type { MemoryEstimate, PartName } from '../src/lib/estimate/memory-estimate.js';
import { describeShape } from '../src/lib/model/describe-shape.js';
import type { AdapterShape, ModelShape, Shape } from '../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../test/support/models/profile.js';

/* Writes docs/drafts.md: what drafts, prediction heads and adapters take beside a model. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MIB = 2 ** 20;
const METAL: LaunchOptions = { accelerator: 'metal', llamaCpp: 'v0.5.0', ctxSize: 8192 };

const INTRODUCTION = `# What drafts, prediction heads and adapters take

MiB that a launch takes more on Metal, GPU and host together, at a context of 8192 tokens and 4 slots, by this program for
llama.cpp v0.5.0. A draft's output rows and what the model itself takes more (its own output rows, graphs, and the
earlier recurrent states that a rejected draft goes back to) depend on \`--spec-draft-n-max\`, 3 unless it is said. "after use"
is what both have come to when tokens were drafted. This file is written by \`npm run drafts\`.
`;

interface Row {
  readonly title: string;
  readonly model: string;
  readonly draft?: string;
  readonly adapter?: string;
  readonly launch?: Partial<LaunchOptions>;
}

const MTP = { specTypes: ['draft-mtp'] };
const ROWS: readonly Row[] = [
  {
    title: 'Qwen3 0.6B Q8_0 for Qwen3 32B',
    model: 'profiles/qwen-3-32b.Q4_K_M',
    draft: 'drafts/profiles/qwen3-0.6b.Q8_0',
    launch: { specTypes: ['draft-simple'] },
  },
  {
    title: 'Llama 3.2 1B Q8_0 for Llama 3.3 70B',
    model: 'profiles/llama-3.3-70b.Q4_K_M',
    draft: 'drafts/profiles/llama-3.2-1b.Q8_0',
    launch: { specTypes: ['draft-simple'] },
  },
  {
    title: 'EAGLE3 F16 for Llama 3.1 8B',
    model: 'profiles/llama-3.1-8b.Q8_0',
    draft: 'drafts/profiles/eagle3-llama-3.1-8b.F16',
    launch: { specTypes: ['draft-eagle3'] },
  },
  {
    title: 'DFlash F16 for Qwen3.6 27B',
    model: 'drafts/profiles/qwen3.6-27b-mtp.Q4_K_M',
    draft: 'drafts/profiles/dflash-qwen3.6-27b.F16',
    launch: { specTypes: ['draft-dflash'] },
  },
  {
    title: 'assistant Q8_0 for Gemma 4 12B',
    model: 'profiles/gemma-4-12b.Q8_0',
    draft: 'drafts/profiles/mtp-gemma-4-12b.Q8_0',
    launch: MTP,
  },
  {
    title: 'assistant F16 for Gemma 4 12B',
    model: 'profiles/gemma-4-12b.Q8_0',
    draft: 'drafts/profiles/mtp-gemma-4-12b.F16',
    launch: MTP,
  },
  { title: 'own head of Qwen3.5 4B', model: 'drafts/profiles/qwen3.5-4b-mtp.Q8_0', launch: MTP },
  { title: 'own head of Qwen3.6 27B', model: 'drafts/profiles/qwen3.6-27b-mtp.Q4_K_M', launch: MTP },
  {
    title: 'the same with 1 slot',
    model: 'drafts/profiles/qwen3.6-27b-mtp.Q4_K_M',
    launch: { ...MTP, parallel: 1 },
  },
  {
    title: 'own head of Qwen3.5/3.6 35B-A3B',
    model: 'drafts/profiles/qwen3.6-35b-a3b-mtp.Q4_K_M',
    launch: MTP,
  },
  { title: 'own head of DeepSeek-V3', model: 'drafts/profiles/deepseek-v3-mtp.Q4_K_M', launch: MTP },
  { title: 'own head of GLM-4.5-Air', model: 'drafts/profiles/glm-4.5-air-mtp.Q4_K_M', launch: MTP },
  {
    title: 'n-grams (ngram-mod), Llama 3.1 8B',
    model: 'profiles/llama-3.1-8b.Q8_0',
    launch: { specTypes: ['ngram-mod'] },
  },
  {
    title: 'LoRA of rank 16, F16, for Llama 3.1 8B',
    model: 'profiles/llama-3.1-8b.Q8_0',
    adapter: 'drafts/profiles/lora-llama-3.1-8b-r16-all.F16',
  },
];

function shapeOf<K extends Shape['kind']>(path: string, kind: K): Extract<Shape, { kind: K }> {
  const shape = describeShape(profileHeader(readProfile(join(ROOT, 'test/oracle', `${path}.json`))));
  if (shape.kind !== kind) throw new Error(`${path} is a ${shape.kind}`);
  return shape as Extract<Shape, { kind: K }>;
}

const sum = ({ parts }: MemoryEstimate, isMeant: (part: MemoryEstimate['parts'][number]) => boolean): number =>
  parts.reduce((total, part) => total + (isMeant(part) ? part.bytes : 0), 0);

/** Output rows, compute buffers: what use makes of them, the prompt cache and checkpoints apart. */
const GROWING: ReadonlySet<string> = new Set<PartName>(['compute', 'output']);
const grown = ({ growth }: MemoryEstimate): number =>
  growth.reduce((total, { name, maxBytes }) => total + (GROWING.has(name) ? maxBytes : 0), 0);

function line({ title, model: path, draft, adapter, launch = {} }: Row): string {
  const model: ModelShape = shapeOf(path, 'model');
  const adapters: AdapterShape[] = adapter === undefined ? [] : [shapeOf(adapter, 'adapter')];
  const without = estimateLaunch({ model }, { ...METAL, ...launch, specTypes: [] });
  const files = { model, adapters, draft: draft === undefined ? undefined : shapeOf(draft, 'model') };
  const withIt = estimateLaunch(files, { ...METAL, ...launch, ...(adapter !== undefined && { adapterScale: 1 }) });
  const own = (...names: PartName[]): number => sum(withIt, ({ of, name }) => of !== 'model' && names.includes(name));
  const ofModel = (estimate: MemoryEstimate): number => sum(estimate, ({ of }) => of === 'model');
  const start = sum(withIt, () => true) - sum(without, () => true);
  const used = start + grown(withIt) - grown(without);
  const cells = [
    own('weights', 'weights-copy'),
    own('kv-cache', 'recurrent-state'),
    own('compute'),
    own('output'),
    ofModel(withIt) - ofModel(without),
    start,
    used,
  ];
  return `| ${title} | ${cells.map((bytes) => String(Math.round(bytes / MIB))).join(' | ')} |`;
}

const HEAD = `| beside the model | own weights | own KV cache | own compute | own output | the model, more | sum, at start | sum, after use |
| --- | --: | --: | --: | --: | --: | --: | --: |`;

const LAST = `The weights of a model's own head are in its file and are loaded only where \`--spec-type draft-mtp\` asks for it. What the
earlier recurrent states of Qwen3.5 and 3.6 take grows with the slots: \`--parallel 1\` saves three quarters of it. A file that
is named as a draft, but that no type uses, is loaded and freed again before the server answers: it counts for the peak, which
is said.
`;

await writeFile(
  join(ROOT, 'docs/drafts.md'),
  [INTRODUCTION, [HEAD, ...ROWS.map(line)].join('\n'), '', LAST].join('\n'),
);
