import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { LlmkubeError } from '../../src/lib/errors.js';
import { Depth, type Outcome } from './depth.js';
import { Random } from './making/random.js';
import { SUBJECTS } from './subjects.js';
import type { Subject } from './subject.js';

/*
 * Gives changed input to everything that takes input from outside, and looks for errors of the program's own, answers that
 * cannot be, and inputs that take long, hang, or take much memory.
 *
 *     npm run fuzz -- [--seconds 60] [--inputs 50000] [--seed 1] [--seed 2 …] [--only SUBJECT]
 *
 * Time and inputs are shared by the seeds. A finding names its own; --seed SEED --inputs 1 --only SUBJECT gives that input again.
 */
interface Task {
  readonly seed: number;
  readonly inputs: number;
  readonly milliseconds: number;
  readonly only: string | undefined;
}
/** What a worker says as it goes on. */
type Word =
  | { readonly kind: 'starts'; readonly input: string }
  | { readonly kind: 'found'; readonly finding: string }
  | { readonly kind: 'done'; readonly inputs: number; readonly depths: readonly string[] };

/** Of the processor, since other programs may have it for longer. */
const MOST_MS = 5_000;
const HANGS_AFTER_MS = 60_000;
/** In all; what is kept for all inputs, as models that they start from, is some 150 of it. */
const MOST_HEAP_MIB = 400;
const MOST_FINDINGS = 20;

if (isMainThread) await main();
else await work(workerData as Task, (word) => parentPort?.postMessage(word));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      inputs: { type: 'string', default: '50000' },
      seed: { type: 'string', multiple: true, default: ['1'] },
      only: { type: 'string' },
    },
  });
  const inputs = Math.ceil(Number(values.inputs) / values.seed.length);
  const milliseconds = (Number(values.seconds) * 1000) / values.seed.length;
  for (const seed of values.seed.map(Number)) {
    const findings = await supervised({ seed, inputs, milliseconds, only: values.only });
    for (const finding of findings) process.stdout.write(`${finding}\n`);
    if (findings.length > 0) process.exitCode = 1;
  }
}

/** Runs in a thread, which can be ended when an input hangs it. */
function supervised(task: Task): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const findings: string[] = [];
    let input = 'the start';
    const worker = new Worker(new URL(import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB },
    });
    const end = (inputs: string, depths: readonly string[] = []): void => {
      clearTimeout(watchdog);
      process.stdout.write([`seed ${task.seed}: ${inputs}, ${findings.length} findings`, ...depths, ''].join('\n'));
      void worker.terminate();
      resolve(findings);
    };
    const watchdog = setTimeout(() => {
      findings.push(`${input}: hangs`);
      end('stopped');
    }, HANGS_AFTER_MS);
    worker.on('message', (word: Word) => {
      watchdog.refresh();
      if (word.kind === 'starts') input = word.input;
      if (word.kind === 'found') findings.push(word.finding);
      if (word.kind === 'done') end(`${word.inputs} inputs`, word.depths);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        findings.push(`${input}: takes more than ${MOST_HEAP_MIB} MiB of heap, or leaves more with those before`);
        return end('stopped');
      }
      clearTimeout(watchdog);
      reject(new Error(`${input}: ${error.message}`, { cause: error }));
    });
  });
}

async function work({ seed, inputs, milliseconds, only }: Task, say: (word: Word) => void): Promise<void> {
  const subjects = SUBJECTS.filter(({ name }) => only === undefined || name === only);
  const depths = new Map(subjects.map(({ name }) => [name, new Depth(name)]));
  const end = performance.now() + milliseconds;
  let [done, found] = [0, 0];
  for (; done < inputs && performance.now() < end && found < MOST_FINDINGS; done++) {
    const subject = subjects[done % subjects.length];
    if (subject === undefined) break;
    const input = `${subject.name}, seed ${seed + done}`;
    say({ kind: 'starts', input });
    const outcome = await outcomeOf(subject, seed + done);
    depths.get(subject.name)?.count(outcome);
    if (outcome.kind !== 'wrong') continue;
    say({ kind: 'found', finding: `${input}: ${outcome.how}` });
    found++;
  }
  say({ kind: 'done', inputs: done, depths: [...depths.values()].map(String) });
}

async function outcomeOf(subject: Subject, seed: number): Promise<Outcome> {
  const start = process.cpuUsage();
  let outcome: Outcome = { kind: 'answered' };
  try {
    await subject.run(new Random(seed));
  } catch (error) {
    if (!(error instanceof LlmkubeError))
      return { kind: 'wrong', how: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    outcome = { kind: 'refused', code: error.code };
  }
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  return ms > MOST_MS ? { kind: 'wrong', how: `took ${Math.round(ms)} ms of the processor` } : outcome;
}
