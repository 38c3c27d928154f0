import { describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { watchCheck } from '../../../src/lib/cli/watch-check.js';
import { run, cliEnvironment, RUN_JS } from '../../support/run-cli.js';

const GIB = 2 ** 30;

/** Watches a machine of 100 GiB whose memory in use goes through these amounts, one a look, and gives what is written. */
async function watched(inUseGib: readonly number[], stream: { isTTY: boolean; columns: number; rows: number }) {
  const ended = new Error('there is nothing more to see');
  const written: string[] = [];
  let looks = 0;
  const watching = watchCheck({
    verdictText: async () => [`look ${looks}`, ...Array.from({ length: 50 }, (_, i) => `line ${i}`)].join('\n'),
    measure: async () => {
      const inUseBytes = inUseGib[looks++];
      if (inUseBytes === undefined) throw ended;
      return { source: 'measured', totalBytes: 100 * GIB, inUseBytes: inUseBytes * GIB, notes: [] };
    },
    stream: { ...stream, write: (text: string | Uint8Array) => written.push(String(text)) > 0 },
    everyMs: 1,
  });
  await expect(watching).rejects.toBe(ended);
  return written;
}

describe('--watch', () => {
  test('shows the verdict again only when memory has changed by more than 1 %', async () => {
    const written = await watched([10, 10.9, 11, 11.1, 12, 9, 9], { isTTY: false, columns: 80, rows: 24 });
    expect(written.map((text) => text.split('\n')[0])).toEqual(['look 1', 'look 4', 'look 6']);
  });

  test('keeps to one screen of a terminal, and clears it each time', async () => {
    const [first = ''] = await watched([10, 10], { isTTY: true, columns: 80, rows: 24 });
    expect(first.startsWith('\u001b[2J\u001b[H')).toBe(true);
    expect(first.split('\n')).toHaveLength(24);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux(
    'ends with Ctrl-C',
    async () => {
      const args = [RUN_JS, 'check-memory', 'llama-3.2-3b', '--offline', '--accelerator', 'cpu', '--watch'];
      let child: ChildProcess | undefined;
      const { stdout } = await run(process.execPath, args, cliEnvironment(), (started) => {
        child = started;
        child.stdout?.once('data', () => started.kill('SIGINT'));
      });
      expect(stdout).toMatch(/llama-3\.2-3b/);
      expect(child?.signalCode).toBe('SIGINT');
    },
    60_000,
  );

  onLinux(
    'is a line of JSON a verdict, as --json has it',
    async () => {
      const args = [RUN_JS, 'check-memory', 'llama-3.2-3b', '--offline', '--accelerator', 'cpu', '--watch', '--json'];
      let child: ChildProcess | undefined;
      const { stdout, stderr } = await run(process.execPath, args, cliEnvironment(), (started) => {
        child = started;
        child.stdout?.once('data', () => started.kill('SIGINT'));
      });
      const lines = stdout.trimEnd().split('\n');
      const checks = lines.map((line) => JSON.parse(line) as { model: { id: string }; budget: object });
      expect(checks[0]).toMatchObject({ model: { id: 'llama-3.2-3b' }, budget: { kind: expect.any(String) } });
      expect(stderr).toBe('');
      expect(child?.signalCode).toBe('SIGINT');
    },
    60_000,
  );

  test.each([['--in-use', '4Gi']])(
    'is not for %s',
    async (...more) => {
      const args = [RUN_JS, 'check-memory', 'llama-3.2-3b', '--offline', '--accelerator', 'cpu', '--watch', ...more];
      const { stdout, stderr, exitCode } = await run(process.execPath, args, cliEnvironment());
      expect(`${stdout}${stderr}`).toContain('leave one of them out');
      expect(exitCode).toBe(2);
    },
    60_000,
  );
});
