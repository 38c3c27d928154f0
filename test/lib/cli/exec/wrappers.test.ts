import { describe, expect, test } from '@jest/globals';
import { behindWrappers } from '../../../../src/lib/cli/exec/wrappers.js';

const behind = (line: string) => behindWrappers(line.split(' ') as [string, ...string[]]);

describe('behind a wrapper and its own options is the command that it becomes', () => {
  test.each([
    'env X=1 Y= server -m a',
    'nice server -m a',
    'nice -n 10 server -m a',
    'nice -10 server -m a',
    '/usr/bin/nice --adjustment=-5 -- server -m a',
    'nohup server -m a',
    'ionice -c 2 -n0 server -m a',
    'ionice --class idle -t server -m a',
    'taskset 0xff server -m a',
    'taskset -c 0-7:2,9 server -m a',
    'chrt -f 10 server -m a',
    'chrt --batch 0 server -m a',
    'numactl --interleave=all server -m a',
    'numactl -N 0 -m0 --localalloc server -m a',
    'stdbuf -oL -e 0 server -m a',
    'setsid -w server -m a',
    'arch -arm64 server -m a',
    'nohup nice -n 5 taskset 3 env A=b stdbuf -o L server -m a',
  ])('%s', (line) => {
    expect(behind(line)).toMatchObject({ command: ['server', '-m', 'a'], isInterpreted: false });
  });

  test('with the variables that are set on the way, the last of one name at the end', () => {
    const { assigned } = behind('env LLAMA_ARG_CTX_SIZE=1 A=b=c nice env LLAMA_ARG_CTX_SIZE=2 server');
    expect(assigned).toEqual([
      ['LLAMA_ARG_CTX_SIZE', '1'],
      ['A', 'b=c'],
      ['LLAMA_ARG_CTX_SIZE', '2'],
    ]);
  });

  test.each(['bash -e ./llama-server -m a', 'python3 -u ./llama-server -m a'])(
    'or the file that is read: %s',
    (line) => {
      expect(behind(line)).toMatchObject({ command: ['./llama-server', '-m', 'a'], isInterpreted: true });
    },
  );
});

test.each([
  // Others run beside the command, in another environment or folder, or run none at all.
  ...['time server', 'sudo server', 'timeout 5 server', 'caffeinate server', 'env -i server', 'env -C / server'],
  ...[
    'setsid -f server',
    'taskset -p 5',
    'chrt -p 5',
    'numactl -H',
    'nice',
    'nice -n 5',
    'sh -c server',
    'python -m server',
  ],
])('%s is left as it is', (line) => {
  expect(behind(line)).toEqual({ command: line.split(' '), assigned: [], isInterpreted: false });
});
