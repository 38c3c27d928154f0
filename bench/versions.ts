import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateMemory } from '../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../src/lib/runtime/launch-options.js';
import { totalBytes } from '../src/lib/estimate/memory-estimate.js';
import type { MemoryCheck } from '../src/lib/preflight/memory-check.js';
import { explainStep } from '../src/lib/preflight/surveys/version-steps.js';
import { signedSize, versionRows } from '../src/lib/report/text/versions-text.js';
import { profileHeader, readProfile } from '../test/support/models/profile.js';

/* Writes the tables of docs/versions.md: the same launches in all measured versions of llama.cpp, and why they differ. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = join(ROOT, 'docs/versions.md');
const [BEGIN, END] = ['<!-- npm run versions writes from here -->', '<!-- to here -->'];
const VERSIONS = ['b9453', 'b10472', 'v0.5.0', 'b11434', 'v0.8.0'];
const LAUNCHES: readonly (readonly [profile: string, launch: LaunchOptions])[] = [
  ['llama-3.2-3b.Q5_K_M', { accelerator: 'metal', ctxSize: 8192 }],
  ['llama-3.1-8b.Q4_K_M', { accelerator: 'metal', ctxSize: 32768, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' }],
  ['gpt-oss-20b.MXFP4', { accelerator: 'cpu', ctxSize: 8192 }],
  ['qwen3-30b-a3b.Q4_K_M', { accelerator: 'metal', ctxSize: 16384, cpuMoeLayers: 20 }],
  ['lfm2-1.2b.Q4_K_M', { accelerator: 'metal', ctxSize: 8192 }],
  ['qwen3-embedding-0.6b.Q8_0', { accelerator: 'metal', ctxSize: 8192, mode: 'embedding' }],
];

const tables = LAUNCHES.map(([profile, launch]) => section(profile, launch)).join('\n');
const page = await readFile(PAGE, 'utf8');
const [before, after] = [page.split(BEGIN)[0] ?? '', page.split(END)[1] ?? ''];
await writeFile(PAGE, `${before}${BEGIN}\n\n${tables}\n${END}${after}`);

function section(profile: string, launch: LaunchOptions): string {
  const shape = describeModel(profileHeader(readProfile(join(ROOT, 'test/oracle/profiles', `${profile}.json`))));
  const checks = VERSIONS.map((llamaCpp) => {
    const estimate = estimateMemory(shape, { ...launch, llamaCpp });
    // Nothing is held against a machine.
    const verdict = { kind: 'unknown', code: '', reason: '', warnings: [] } as const;
    return { model: profile, shape, estimate, launch, verdict } as unknown as MemoryCheck;
  });
  const [head = [], ...rows] = versionRows(checks).filter(([label = '']) => !/^(budget|to spare|verdict)/.test(label));
  const sums = checks.map(({ estimate }) => (estimate ? (totalBytes(estimate) / 2 ** 20).toFixed(1) : ''));
  const cells = rows.map((row) => (row[0] === 'requirement' ? ['requirement', ...sums] : row));
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...cells].map((row) => `| ${row.join(' | ')} |`);
  return [`### ${profile}, ${wordsOf(launch)}`, '', ...lines, '', ...reasons(checks), ''].join('\n');
}

function wordsOf({ accelerator, ctxSize, cacheTypeK, cpuMoeLayers, mode }: LaunchOptions): string {
  const more = [
    ...(cacheTypeK ? [`${cacheTypeK} cache`] : []),
    ...(cpuMoeLayers ? [`the experts of ${cpuMoeLayers} layers on the CPU`] : []),
    ...(mode ? [mode] : []),
  ];
  return [accelerator === 'metal' ? 'Metal' : 'CPU', `${ctxSize} tokens`, ...more].join(', ');
}

function reasons(checks: readonly MemoryCheck[]): string[] {
  return checks.slice(1).flatMap((check, index) => {
    const step = explainStep(checks[index] as MemoryCheck, check);
    if (!step || step.causes.length === 0) return [];
    const causes = step.causes.map(({ what, bytes }) => `${what} (${signedSize(bytes)})`).join('; ');
    return [`- ${step.from} to ${step.to}, ${signedSize(step.bytes)}: ${causes}.`];
  });
}
