import { describe, expect, test } from '@jest/globals';
import { configFiles, readServerCommand } from '../../../src/lib/runtime/server-command.js';

const read = (line: string, env: Record<string, string> = {}) =>
  readServerCommand(line === '' ? [] : line.split(' '), env, '/models');

describe('what llama-server would load', () => {
  test.each([
    ['-m a.gguf', '/models/a.gguf'],
    ['--model /b.gguf -m a.gguf', '/models/a.gguf'],
    ['-hf owner/repo:Q4_K_M', 'hf:owner/repo:Q4_K_M'],
    ['--hf-repo owner/repo:Q4_K_M -hff file.gguf', 'hf:owner/repo/file.gguf'],
    ['-mu https://host/a.gguf -m a.gguf', 'https://host/a.gguf'],
    // what the hub has wins over an address, and that over a path, in whatever order they stand
    ['-hf owner/repo -mu https://host/a.gguf -m a.gguf', 'hf:owner/repo'],
    // a value is whatever follows its option
    ['-m a.gguf --alias -hf', '/models/a.gguf'],
  ])('by %s is %s', (line, source) => {
    expect(read(line)).toMatchObject({ kind: 'loads', source });
  });

  test('is said by LLAMA_ARG_*, too, and the command line wins', () => {
    const env = { LLAMA_ARG_MODEL: 'env.gguf', LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_PORT: '9000' };
    expect(read('', env)).toMatchObject({
      source: '/models/env.gguf',
      patch: { ctxSize: 4096 },
      address: { port: 9000 },
    });
    expect(read('-m a.gguf -c 512', env)).toMatchObject({ source: '/models/a.gguf', patch: { ctxSize: 512 } });
  });

  test.each([
    ['', 'routes'],
    ['--port 8080', 'routes'],
    ['-m a.gguf --version', 'prints'],
    ['--help', 'prints'],
    ['-cl', 'prints'],
  ])('is nothing by "%s", which %s', (line, kind) => {
    expect(read(line)).toEqual({ kind });
  });

  test.each(['-m', '--model', '-c 512 -m', '-m a.gguf -c', '-m a.gguf --port'])(
    'is refused where an option lacks its value: %s',
    (line) => {
      expect(() => read(line)).toThrow(
        expect.objectContaining({
          code: 'INVALID_SERVER_OPTION',
          exitCode: 2,
          message: expect.stringContaining('expects a value'),
        }),
      );
    },
  );

  test('lists of the environment and of the command line add up', () => {
    const env = { LLAMA_ARG_OVERRIDE_TENSOR: 'exps=CPU', LLAMA_ARG_N_CPU_MOE: '7' };
    expect(read('-m a.gguf -ot attn=CPU -ncmoe 3', env)).toMatchObject({
      patch: { tensorOverrides: [{ pattern: 'exps' }, { pattern: 'attn' }], cpuMoeLayers: 7 },
    });
  });

  test('variables of other names hold options, too', () => {
    expect(read('-m a.gguf', { MTMD_BACKEND_DEVICE: 'CUDA1' })).toMatchObject({ patch: { mmprojDevice: 1 } });
    expect(read('-m a.gguf', { LLAMA_ARG_SPEC_DRAFT_CPU_MOE: '1' })).toMatchObject({ remarks: [{ effect: 'moves' }] });
  });

  test.each([
    ['--gpt-oss-20b-default', 'lets llama-server choose models and options of its own'],
    ['--models-dir /m', 'lets llama-server choose models and options of its own'],
    ['-dr ai/model', 'what --docker-repo would load cannot be read from here'],
    ['-m a.gguf --turbo', '--turbo is no option of llama-server that is known here'],
  ])('cannot be known by %s, which refuses', (line, message) => {
    expect(() => read(line)).toThrow(message);
  });

  test('and answers where it says, at its own default port of this machine unless told', () => {
    expect(read('-m a.gguf')).toMatchObject({ address: { host: '127.0.0.1', port: undefined, prefix: '' } });
    const line = '-m a.gguf --host /run/llm.sock --port 81 --api-prefix /v';
    expect(read(line)).toMatchObject({ address: { host: '/run/llm.sock', port: 81, prefix: '/v' } });
  });

  test('what takes memory and is not counted is a remark, and drafts switched off are none', () => {
    expect(read('-m a.gguf --spec-type none')).toMatchObject({ remarks: [] });
    expect(read('-m a.gguf --rpc host:1')).toMatchObject({ remarks: [{ effect: 'moves' }] });
  });
});

test('options are read from files of the system and of the user', () => {
  expect(configFiles({ HOME: '/home/me' })).toEqual([
    '/etc/llama.cpp/config.ini',
    '/home/me/.config/llama.cpp/config.ini',
  ]);
  // Services of the system often have no HOME.
  expect(configFiles({}, '/root')[1]).toBe('/root/.config/llama.cpp/config.ini');
  expect(configFiles({ HOME: '/home/me', XDG_CONFIG_HOME: '/c' })[1]).toBe('/c/llama.cpp/config.ini');
});
