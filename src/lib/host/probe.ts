import { readFile } from 'node:fs/promises';

/** What a program of the system printed, or undefined when it is not there, fails or takes too long. */
export type RunCommand = (program: string, args: readonly string[]) => Promise<string | undefined>;

/** A small text file of the system, or undefined when it cannot be read. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** Everything that measuring asks of the machine, so that tests can answer in its place. */
export interface Probe {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  readonly run: RunCommand;
  readonly readText: ReadText;
}

const TIMEOUT_MS = 5_000;

export const thisMachine: Probe = {
  platform: process.platform,
  arch: process.arch,
  run: async (program, args) => {
    const { execFile } = await import('node:child_process');
    const options = { timeout: TIMEOUT_MS, env: { ...process.env, LC_ALL: 'C' } };
    return new Promise((resolve) => {
      execFile(program, [...args], options, (error, stdout) => resolve(error === null ? stdout : undefined));
    });
  },
  readText: (path) => readFile(path, 'utf8').catch(() => undefined),
};
