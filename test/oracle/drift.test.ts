import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LlmkubeError, UsageError } from '../../src/lib/errors.js';
import { createMemory } from '../../src/lib/estimate/caches/cache.js';
import { computeBuffers } from '../../src/lib/estimate/context/compute.js';
import { resolveContext } from '../../src/lib/estimate/context/context-params.js';
import { TOO_LARGE } from '../../src/lib/estimate/context/graph-capacity.js';
import { GRAPHS } from '../../src/lib/estimate/graph/graphs.js';
import { representativeLayers } from '../../src/lib/estimate/context/layers.js';
import { Placement } from '../../src/lib/estimate/weights/placement.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import type { CacheType, FlashAttention, LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { type Profile, profileHeader, readProfile, writeProfile } from '../support/models/profile.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { PROFILES } from './cases.js';

const LLAMA_CPP = join(PROFILES, '../llama-cpp');
const DRAFTS = join(PROFILES, '../drafts/profiles');
const installed = existsSync(join(LLAMA_CPP, 'node_modules/node-llama-cpp'));

interface Question {
  readonly ctx: number;
  readonly sequences: number;
  readonly ubatch: number;
  readonly flashAttention: 'auto' | boolean;
  readonly cacheType: 'F16' | 'Q8_0';
}

interface Answer {
  readonly model: number;
  readonly context: number;
}

const QUESTIONS: readonly Question[] = [
  { ctx: 4096, sequences: 1, ubatch: 512, flashAttention: 'auto', cacheType: 'F16' },
  { ctx: 4096, sequences: 2, ubatch: 256, flashAttention: false, cacheType: 'F16' },
  { ctx: 8192, sequences: 4, ubatch: 512, flashAttention: 'auto', cacheType: 'Q8_0' },
];

/** Our figures for the launch that node-llama-cpp makes of a question: every token of a batch has an output. */
function ours(profile: Profile, question: Question): Answer {
  const shape = describeModel(profileHeader(profile));
  const window = shape.keys.number('attention.sliding_window', 0);
  const slides = window > 0 && window < shape.hparams.nCtxTrain;
  const batchSize = Math.max(question.ubatch, question.sequences) + (slides ? 1 : 0);
  const flashAttn: FlashAttention =
    question.flashAttention === 'auto' ? 'auto' : question.flashAttention ? 'on' : 'off';
  const cacheType = question.cacheType.toLowerCase() as CacheType;
  const launch: LaunchOptions = {
    accelerator: 'cpu',
    llamaCpp: 'v0.5.0',
    ctxSize: question.ctx * question.sequences,
    parallel: question.sequences,
    batchSize,
    ubatchSize: batchSize,
    flashAttn,
    cacheTypeK: cacheType,
    cacheTypeV: cacheType,
    mmap: false,
    // What is simulated has no buffers of other layouts: an embedding that is the output, too, is there once.
    repack: false,
  };
  const resolved = resolveContext(shape, launch);
  const params = { ...resolved, nOutputsMax: resolved.nBatch };
  const placement = Placement.of(shape, launch);
  const memory = createMemory(shape, params, placement);
  const graph = GRAPHS[shape.architecture];
  if (!graph) throw new Error(`${shape.architecture} is not described`);
  const plans = representativeLayers(shape, placement, memory, graph);
  const compute = computeBuffers({
    shape,
    params,
    memory,
    placement,
    graph,
    plans,
  });
  const { mapped, copied } = placement.bytes();
  return {
    model: mapped.cpu + copied.cpu,
    context: memory.kvBytes.cpu + memory.recurrentBytes.cpu + compute.bytes.cpu,
  };
}

/** Questions that llama.cpp refuses, or that would make it abort and take the process with it, are not asked. */
function accepted(profile: Profile): readonly Question[] {
  const alsoOneSequence = GRAPHS[profile.architecture]?.alsoOneSequence === true;
  return QUESTIONS.filter((question) => {
    // node-llama-cpp counts such a graph for its sequences only; llama-server's figures are among the launches that were measured.
    if (alsoOneSequence && question.sequences > 1) return false;
    try {
      ours(profile, question);
      return true;
    } catch (error) {
      if (error instanceof UsageError || (error instanceof LlmkubeError && error.code === TOO_LARGE)) return false;
      throw error;
    }
  });
}

const profiles = readdirSync(PROFILES).filter((name) => name.endsWith('.json'));

test('every described architecture has a header here', () => {
  const drafts = readdirSync(DRAFTS).map((name) => readProfile(join(DRAFTS, name)).architecture);
  const described = new Set([...profiles.map((name) => readProfile(join(PROFILES, name)).architecture), ...drafts]);
  expect(Object.keys(GRAPHS).filter((architecture) => !described.has(architecture))).toEqual([]);
});

(installed ? describe : describe.skip)('llama.cpp itself allocates what is estimated, on the CPU', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let answers: Map<string, readonly Answer[]>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const asked: (Question & { name: string; file: string })[] = [];
    for (const name of profiles) {
      const file = join(folder.path, `${name}.gguf`);
      const profile = readProfile(join(PROFILES, name));
      await writeProfile(profile, file);
      asked.push(...accepted(profile).map((question) => ({ ...question, name, file })));
    }
    const { stdout, stderr, status } = spawnSync('node', [join(LLAMA_CPP, 'ask.mjs')], {
      input: JSON.stringify(asked),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (status !== 0) throw new Error(stderr);
    const all = JSON.parse(stdout) as Answer[];
    answers = new Map(profiles.map((name) => [name, all.filter((_, i) => asked[i]?.name === name)]));
  }, 900_000);

  afterAll(() => folder.remove());

  test.each(profiles)('%s', (name) => {
    const profile = readProfile(join(PROFILES, name));
    expect(accepted(profile).map((question) => ours(profile, question))).toEqual(answers.get(name));
  });
});

if (!installed) {
  test.skip('llama.cpp is asked only where it is installed: node test/oracle/llama-cpp/install.mjs', () => undefined);
}
