import { parseArgs } from 'node:util';
import { LlmkubeError } from '../../src/lib/errors.js';
import { cacheEntries, headerBytes, headerValues } from './headers.js';
import { Random } from './random.js';
import type { Subject } from './subject.js';
import { catalogues, listings, references } from './texts.js';

/*
 * Gives changed input to everything that takes input from outside, and looks for errors of the program's own, answers that
 * cannot be, and inputs that take long or much memory.
 *
 *     npm run fuzz -- [--seconds 60] [--inputs 50000] [--seed 1] [--only SUBJECT]
 *
 * A finding names its seed; --seed SEED --inputs 1 --only SUBJECT gives that input again.
 */
const SUBJECTS: readonly Subject[] = [headerBytes, headerValues, cacheEntries, catalogues, references, listings];

/** One input never takes as long; a loaded machine stops the clock as well as the program. */
const MOST_MS = 5_000;
const MOST_HEAP_BYTES = 400 * 2 ** 20;
const MOST_FINDINGS = 20;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    inputs: { type: 'string', default: '50000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});

const subjects = SUBJECTS.filter(({ name }) => values.only === undefined || name === values.only);
const end = performance.now() + Number(values.seconds) * 1000;
const findings: string[] = [];
let [inputs, seed, refused] = [0, Number(values.seed), 0];
for (; inputs < Number(values.inputs) && performance.now() < end && findings.length < MOST_FINDINGS; inputs++, seed++) {
  const subject = subjects[inputs % subjects.length];
  if (subject === undefined) break;
  const problem = await problemWith(subject, seed);
  if (problem !== undefined) findings.push(`${subject.name}, seed ${seed}: ${problem}`);
}
process.stdout.write(`${inputs} inputs, ${refused} of them refused, ${findings.length} findings\n`);
for (const finding of findings) process.stdout.write(`${finding}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;

async function problemWith(subject: Subject, own: number): Promise<string | undefined> {
  const start = performance.now();
  try {
    await subject.run(new Random(own));
  } catch (error) {
    if (!(error instanceof LlmkubeError))
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    refused++;
  }
  const ms = performance.now() - start;
  if (ms > MOST_MS) return `took ${Math.round(ms)} ms`;
  const { heapUsed } = process.memoryUsage();
  return heapUsed > MOST_HEAP_BYTES ? `left ${heapUsed} bytes on the heap` : undefined;
}
