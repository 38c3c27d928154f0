import { readFile } from 'node:fs/promises';
import vm from 'node:vm';
import { splitWords } from '../../../src/lib/runtime/server-arguments.js';
import { runCli } from '../run-cli.js';

/** What `check-memory --json` says, as far as a page says it too. */
export interface CheckFigures {
  readonly verdict: string;
  readonly parts: readonly { readonly name: string; readonly device: string; readonly bytes: number }[];
  readonly limits: readonly { readonly name: string; readonly requiredBytes: number; readonly budgetBytes: number }[];
}

interface CheckJson {
  readonly verdict: string;
  readonly estimate: { readonly parts: CheckFigures['parts'] };
  readonly limits: readonly { name: string; requiredBytes: number; budget: { bytes: number } }[];
}

/** Runs a command as a page prints it. */
export async function runPrinted(command: string): Promise<CheckFigures> {
  const [program, ...words] = splitWords(command);
  if (program !== 'llmkube') throw new Error(`not a command of llmkube: ${command}`);
  const { stdout } = await runCli([...words, '--json']);
  const { verdict, estimate, limits } = JSON.parse(stdout) as CheckJson;
  return {
    verdict,
    parts: estimate.parts.map(({ name, device, bytes }) => ({ name, device, bytes })),
    limits: limits.map(({ name, requiredBytes, budget }) => ({ name, requiredBytes, budgetBytes: budget.bytes })),
  };
}

/** The JSON that a page's answers rest on. */
export function pageData(html: string): unknown {
  const text = /<script type="application\/json" id="input">(.*?)<\/script>/s.exec(html)?.[1];
  if (text === undefined) throw new Error('the page holds no input');
  return JSON.parse(text);
}

/** A page's program, run where there is nothing but the language: no Node.js, no browser. */
export function pageProgram(html: string): unknown {
  const script = /<script>(.*?)llmkube\.start\(\);<\/script>/s.exec(html)?.[1];
  if (script === undefined) throw new Error('the page holds no program');
  return vm.runInNewContext(`${script};llmkube`);
}

export async function readPage(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
