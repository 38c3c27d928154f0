/**
 * Applies one deliberate fault after another to a copy of the project and says whether the tests that concern it notice:
 *   npm run mutants [-- WORDS OF A NAME]
 * Exit code 1 when more than the few allowed go unnoticed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Fault } from './fault.js';
import { FIGURES } from './faults/figures.js';
import { WHAT_IS_READ } from './faults/headers-and-shapes.js';
import { LAUNCHES } from './faults/launches.js';
import { OUTSIDE } from './faults/outside.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MOST_UNNOTICED = 3;
/** A fault may make a test wait for ever. */
const LONGEST_MS = 300_000;

/** The copy's own: without types, which a fault may break, and which cost most of the time. */
const JEST_CONFIG = `import config from './jest.config.js';
const options = { useESM: true, tsconfig: 'tsconfig.test.json', diagnostics: false, isolatedModules: true };
export default { ...config, transform: { '^.+\\\\.ts$': ['ts-jest', options] }, coverageThreshold: undefined };
`;

/** Of the kinds that people make: a bound off by one, a term left out, two names mixed up, a check forgotten. */
const FAULTS = [...WHAT_IS_READ, ...FIGURES, ...LAUNCHES, ...OUTSIDE];
const wanted = process.argv.slice(2).join(' ');
const chosen = FAULTS.filter(({ name }) => name.includes(wanted));
const copy = copyProject();
try {
  for (const [test, only] of distinctTests()) {
    if (!passes(test, only)) throw new Error(`${test} fails without any fault`);
  }
  const unnoticed = chosen.filter((fault, index) => !isNoticed(fault, index));
  console.log(`${chosen.length} faults, ${unnoticed.length} unnoticed`);
  for (const { name } of unnoticed) console.log(`  ${name}`);
  if (unnoticed.length > MOST_UNNOTICED) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function distinctTests(): readonly (readonly [string, string | undefined])[] {
  const named = chosen.flatMap(({ tests, only }) => tests.map((test) => [test, only] as const));
  return [...new Map(named.map((one) => [one.join(), one])).values()];
}

function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmkube-mutants-'));
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  for (const file of [...stdout.trim().split('\n'), 'dist', 'oclif.manifest.json']) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  }
  // Bundles would hide a fault from the commands.
  rmSync(join(folder, 'dist/quick'), { recursive: true, force: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'jest.mutants.config.js'), JEST_CONFIG);
  return folder;
}

function isNoticed({ name, file, from, to, tests, only }: Fault, index: number): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
  const started = Date.now();
  write(
    file,
    source.replace(from, () => to),
  );
  const failed = tests.find((test) => !passes(test, only));
  write(file, source);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`${index + 1} ${failed === undefined ? 'NOT NOTICED' : `noticed by ${failed}`}: ${name} (${seconds} s)`);
  return failed !== undefined;
}

/** The source, for tests that import it, and what is built of it, for tests that run a command. */
function write(file: string, text: string): void {
  writeFileSync(join(copy, file), text);
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(join(copy, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js')), outputText);
}

function passes(test: string, only: string | undefined): boolean {
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const filter = only === undefined ? [] : ['-t', only];
  const { status, error } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      jest,
      '-c',
      'jest.mutants.config.js',
      '-i',
      '--bail',
      ...filter,
      test,
    ],
    { cwd: copy, stdio: 'ignore', timeout: LONGEST_MS, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return status === 0 && error === undefined;
}
