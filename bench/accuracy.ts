import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateMemory } from '../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../src/lib/model/describe-model.js';
import { kWidth, vWidth } from '../src/lib/model/hparams.js';
import type { ModelShape } from '../src/lib/model/model-shape.js';
import { type Case, launchOf, readCases, type Measured, type Resolved } from '../test/oracle/cases.js';
import { profileHeader, readProfile, writeProfile } from '../test/support/models/profile.js';

/*
 * Writes docs/accuracy.md: how far four ways of estimating are from what llama.cpp allocated, by architecture. Needs
 * node-llama-cpp (node test/oracle/llama-cpp/install.mjs).
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ORACLE = join(ROOT, 'test/oracle');
const MIB = 2 ** 20;
const METHODS = ['llmkube', "LLMKube's formula", 'textbook', 'node-llama-cpp V1'] as const;
type Method = (typeof METHODS)[number];

interface Row {
  readonly architecture: string;
  readonly backend: string;
  readonly errors: Readonly<Record<Method, number>>;
}

const folder = await mkdtemp(join(tmpdir(), 'llmkube-accuracy-'));
const measuredCases = readCases(ORACLE).filter((item) => !('error' in item.truth));
const shapes = new Map<string, ModelShape>();
const files = new Map<string, string>();
for (const { profile } of measuredCases) {
  if (shapes.has(profile)) continue;
  const header = readProfile(join(ORACLE, 'profiles', `${profile}.json`));
  shapes.set(profile, describeModel(profileHeader(header)));
  files.set(profile, join(folder, `${profile}.gguf`));
  await writeProfile(header, join(folder, `${profile}.gguf`));
}
const heuristics = askNodeLlamaCpp(measuredCases);
const rows = measuredCases.map((item, i): Row => {
  const shape = shapes.get(item.profile) as ModelShape;
  const truth = item.truth as Measured & Resolved;
  const allocated =
    truth.mapped +
    truth.copied +
    truth.contextGpu +
    truth.contextHost +
    truth.computeGpu +
    truth.computeHost +
    truth.output;
  const ours = estimateMemory(shape, launchOf(item.launch, item.llamaCpp));
  const counted = ours.parts.filter(({ name }) => name !== 'runtime-overhead');
  const errorOf = (bytes: number): number => (bytes - allocated) / allocated;
  return {
    architecture: shape.architecture,
    backend: backendOf(item.launch),
    errors: {
      // Pages that nothing reads again are mapped too.
      llmkube: errorOf(counted.reduce((sum, { bytes }) => sum + bytes, 0)),
      "LLMKube's formula": errorOf(operatorFormula(shape, truth)),
      textbook: errorOf(textbook(shape, truth)),
      'node-llama-cpp V1': errorOf(heuristics[i] as number),
    },
  };
});
await rm(folder, { recursive: true });
await writeFile(join(ROOT, 'docs/accuracy.md'), page(rows));

/** File, layers × embedding × context × 4 bytes, 512 MiB: as LLMKube's Metal agent has it. */
function operatorFormula({ fileBytes, hparams }: ModelShape, { nCtx }: Resolved): number {
  return fileBytes + hparams.nLayerAll * hparams.nEmbd * nCtx * 4 + 512 * MIB;
}

/** File and an f16 cache of every layer's KV heads: the formula of most calculators. */
function textbook({ fileBytes, hparams }: ModelShape, { nCtx }: Resolved): number {
  const perToken = hparams.nHead.reduce((sum, _, layer) => sum + kWidth(hparams, layer) + vWidth(hparams, layer), 0);
  return fileBytes + perToken * nCtx * 2;
}

function askNodeLlamaCpp(cases: readonly Case[]): number[] {
  const launches = cases.map(({ profile, launch, truth }) => {
    const { nCtx, nCtxSeq, slots, kvUnified, flashAttn } = truth as Measured & Resolved;
    return {
      file: files.get(profile),
      ctx: kvUnified ? nCtx : nCtxSeq,
      sequences: kvUnified ? 1 : slots,
      ubatch: launch.ubatch ?? 512,
      flashAttention: flashAttn,
      cacheTypeK: (launch.ctk ?? 'f16').toUpperCase(),
      cacheTypeV: (launch.ctv ?? 'f16').toUpperCase(),
      gpuLayers: launch.backend === 'cpu' ? 0 : (launch.ngl ?? 1000),
      swaFull: Boolean(launch.swa_full),
      embedding: Boolean(launch.embedding),
    };
  });
  const { stdout, stderr, status } = spawnSync('node', [join(ORACLE, 'llama-cpp/heuristic.mjs')], {
    input: JSON.stringify(launches),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as number[];
}

function backendOf({ backend, cpu_arch: arch = 'x86', gpus = 1 }: Case['launch']): string {
  if (backend === 'metal') return 'Metal';
  if (backend === 'cpu') return arch === 'arm' ? 'CPU, Arm' : 'CPU, x86';
  return gpus > 1 ? 'CUDA, several GPUs' : 'CUDA';
}

function backendTable(all: readonly Row[]): string {
  const backends = [...new Set(all.map(({ backend }) => backend))].sort();
  const lines = backends.map((name) => {
    const group = all.filter(({ backend }) => backend === name);
    return `| ${name} | ${group.length} | ${cell(group.map(({ errors }) => errors.llmkube))} |`;
  });
  return `| backend | launches | llmkube |\n| --- | ---: | ---: |\n${lines.join('\n')}`;
}

function page(all: readonly Row[]): string {
  const architectures = [...new Set(all.map(({ architecture }) => architecture))].sort();
  const lines = architectures.map((name) =>
    tableRow(
      name,
      all.filter(({ architecture }) => architecture === name),
    ),
  );
  return `# Accuracy

Each of ${all.length} launches below was measured with llama.cpp v0.5.0's own allocator, on Metal, on CUDA and on the CPU: weights, KV
cache, recurrent state, compute buffers, output buffer. The table says how far four ways of estimating are from that sum: the
median error, and the worst one upwards (a model that runs is refused) and downwards (a model that does not fit freezes the
machine). This file is written by \`npm run accuracy\`.

- **llmkube**: this project.
- **LLMKube's formula**: file + layers × embedding × context × 4 bytes + 512 MiB, as the operator's Metal agent has it.
- **textbook**: file + an f16 cache of every layer's KV heads over the whole context.
- **node-llama-cpp V1**: the heuristic of node-llama-cpp, which also reads the header only.

| architecture | launches | ${METHODS.join(' | ')} |
| --- | ---: | ${METHODS.map(() => '---:').join(' | ')} |
${lines.join('\n')}
${tableRow('**all**', all)}

Not counted here, because llama.cpp does not allocate it as a buffer: the runtime overhead (a baseline of 500 MiB), the
prompt cache and context checkpoints.

## By backend

${backendTable(all)}

CUDA's launches are a sample of 3266 that are equal to the byte, 412 of them on two and four GPUs, each GPU for itself; they were
measured with the real backend of v0.5.0 on imitated cards; for other versions CUDA's figures are marked \`modelled\`. Vulkan's contexts
and compute buffers equal llama.cpp's dry run on a device in software in 446 of 446 launches, 102 of which the tests hold; alignments
that only a GPU knows may differ. ROCm, which is compiled from CUDA's source, takes its rules, and SYCL borrows them: neither was
measured. All three are marked \`modelled\`.

For architectures without a described graph the compute buffers are an upper bound, marked \`bound\`.

What a GPU holds beside buffers is \`modelled\` too: with CUDA the driver's context, by the size of the card, kernels, cuBLAS, and the pool
that computing needs in between, by the graph; with Vulkan and SYCL 350 MiB, 700 on cards above 36 GB. Of llama-server v0.5.0 on an H100
(driver 580), each context filled by a prompt:

- 50 launches of 55 took 2 to 27 MiB less than is said, those of Mamba-2 40 to 104 less, where several prompts at once are counted.
- With as much free as is said 10 launches of 10 ran; with 48 MiB less 6 of 6 ended for want of memory.
- 7 launches of 7 that were left to \`--fit\` got the layers, experts and context that are said.

Without flash attention the pool takes much: 1.2 GiB of a 14B model at 32768 tokens.
`;
}

function tableRow(name: string, group: readonly Row[]): string {
  return `| ${name} | ${group.length} | ${METHODS.map((method) => cell(group.map(({ errors }) => errors[method]))).join(' | ')} |`;
}

function cell(errors: readonly number[]): string {
  if (errors.every((error) => error === 0)) return 'exact';
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const median = sizes[sizes.length >> 1] ?? 0;
  return `${percent(median)} (${signed(Math.max(0, ...errors))}, ${signed(Math.min(0, ...errors))})`;
}

function percent(fraction: number): string {
  const value = 100 * fraction;
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(2)} %`;
}

function signed(fraction: number): string {
  return fraction === 0 ? '0' : `${fraction > 0 ? '+' : '−'}${percent(Math.abs(fraction))}`;
}
