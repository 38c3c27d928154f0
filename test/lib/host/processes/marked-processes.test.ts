import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { markedProcesses, ofPs } from '../../../../src/lib/host/processes/marked-processes.js';

test('a process is found by what its environment says, with its group, while it runs', async () => {
  const env = { ...process.env, LLMKUBE_TEST_MARK: 'a:b' };
  const child = spawn('/bin/sh', ['-c', 'sleep 60 & wait'], { env, detached: true, stdio: 'ignore' });
  const found = () => markedProcesses('LLMKUBE_TEST_MARK').filter(({ group }) => group === child.pid);
  while (found().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(found()).toContainEqual({ pid: child.pid, group: child.pid, mark: 'a:b' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await gone;
  expect(found().filter(({ pid }) => pid === child.pid)).toEqual([]);
});

test('macOS tells the environment behind the arguments', () => {
  const lines = [
    '    1     1 /sbin/launchd',
    ' 5012  5012 /opt/homebrew/bin/llama-server --model /Users/me/My Models/a.gguf PATH=/usr/bin LLMKUBE_SERVER_OF=0f:models/qwen HOME=/Users/me',
    ' 50120000000000000000000  5012 /bin/sh LLMKUBE_SERVER_OF=0f:models/qwen',
    ' 5013  5012 /bin/zsh XLLMKUBE_SERVER_OF=0f:models/other',
  ];
  expect(ofPs('LLMKUBE_SERVER_OF', lines.join('\n'))).toEqual([{ pid: 5012, group: 5012, mark: '0f:models/qwen' }]);
});
