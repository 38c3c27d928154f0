import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { cliEnvironment, run, runCli } from '../support/run-cli.js';

const BASH = '/bin/bash';
const FISH = '/usr/bin/fish';

/** What bash proposes for the last word of a line. */
async function proposed(script: string, line: string): Promise<readonly string[]> {
  const words = line.split(' ');
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _llmkube; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run(BASH, ['-c', `${script}\n${ask}`], cliEnvironment());
  return stdout.trimEnd().split('\n');
}

(existsSync(BASH) ? describe : describe.skip)('the completion of bash', () => {
  test('knows commands, flags, models and quantizations', async () => {
    const { stdout: script, exitCode } = await runCli(['completion', 'bash']);
    expect(exitCode).toBe(0);
    expect(await proposed(script, 'llmkube check-m')).toEqual(['check-memory']);
    expect(await proposed(script, 'llmkube check-memory qwen-coder')).toContain('qwen-coder-32b');
    expect(await proposed(script, 'llmkube check-memory phi-4 --cache-type')).toEqual(
      expect.arrayContaining(['--cache-type-k', '--cache-type-v']),
    );
    expect(await proposed(script, 'llmkube check-memory phi-4 -q Q4_K')).toEqual(['Q4_K_S', 'Q4_K_M']);
    expect(await proposed(script, 'llmkube catalog ')).toEqual(['check', 'info', 'list', 'validate']);
    expect(await proposed(script, 'llmkube catalog info phi-4-m')).toEqual(['phi-4-mini']);
    expect(await proposed(script, 'llmkube catalog check --fit')).toContain('--fits');
    expect(await proposed(script, 'llmkube fit phi-4 --accelerator c')).toEqual(['cpu', 'cuda']);
    expect(await proposed(script, 'llmkube fit phi-4 -ctk q8')).toEqual(['q8_0']);
  });
});

(existsSync(FISH) ? describe : describe.skip)('the completion of fish', () => {
  test('knows commands, flags, models and quantizations', async () => {
    const { stdout: script, exitCode } = await runCli(['completion', 'fish']);
    expect(exitCode).toBe(0);
    const proposedBy = async (line: string) => {
      const { stdout } = await run(FISH, ['-c', `${script}\ncomplete -C '${line}'`], cliEnvironment());
      return stdout.trimEnd().split('\n');
    };
    expect(await proposedBy('llmkube check-m')).toEqual(['check-memory']);
    expect(await proposedBy('llmkube check-memory qwen-coder')).toContain('qwen-coder-32b');
    expect(await proposedBy('llmkube check-memory phi-4 --cache-type')).toEqual(['--cache-type-k', '--cache-type-v']);
    expect(await proposedBy('llmkube check-memory phi-4 -q Q4_K_')).toEqual(['Q4_K_M', 'Q4_K_S']);
    expect(await proposedBy('llmkube catalog ')).toEqual(['check', 'info', 'list', 'validate']);
    expect(await proposedBy('llmkube fit phi-4 --accelerator c')).toEqual(['cpu', 'cuda']);
    expect(await proposedBy('llmkube catalog check --fit')).toContain('--fits');
    expect(await proposedBy('llmkube catalog list --kubec')).not.toContain('--kubeconfig');
  });
});
