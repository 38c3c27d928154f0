import { expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../../support/run-cli.js';

test('check-memory names a llama-server on the PATH that does not say its version', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmkube-mute-'));
  writeFileSync(join(folder, 'llama-server'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH}`, LLMKUBE_LLAMA_CPP: 'auto' };
  const { stdout } = await runCli(['check-memory', 'lfm2-1.2b', '--accelerator', 'cpu', '--offline'], env);
  expect(stdout).toContain(`${folder}/llama-server does not say which llama.cpp it is: the figures are for v0.8.0`);
});
