import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import { printOut } from '../terminal/out.js';

/** Of a line that does not end, as much is passed on at a time. */
const LONGEST_LINE = 64 * 1024;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs a program that prints what others wrote, and passes it on as everything is printed: without secrets, and nothing that acts on a
 * terminal. It ends with this program. Its exit code; 127 where there is no such program.
 */
export async function passedOn(program: string, words: readonly string[]): Promise<number> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): void => void child.kill();
  process.once('exit', end);
  for (const signal of SIGNALS) process.once(signal, () => process.exit(128 + constants.signals[signal]));
  const decoder = new StringDecoder('utf8');
  let pending = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const text = pending + decoder.write(chunk);
    const at = text.length > LONGEST_LINE ? text.length : text.lastIndexOf('\n') + 1;
    pending = text.slice(at);
    if (at > 0) printOut(text.slice(0, at).replace(/\n$/, ''));
  });
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (status) => resolve(status ?? 1));
  });
  process.off('exit', end);
  if (pending !== '') printOut(pending);
  return code;
}
