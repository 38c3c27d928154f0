import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { connect as connectTo, type AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ClusterError } from '../../../../src/lib/errors.js';
import { connect } from '../../../../src/lib/kube/client/client.js';
import { KubeApi } from '../../../support/kube/kube-api.js';
import { writeKubeconfig } from '../../../support/kube/kubeconfig-file.js';
import { LOOPBACK_CERTIFICATE_FILE, LOOPBACK_TLS } from '../../../support/servers/loopback-tls.js';

const CLUSTER_VARIABLES = ['KUBECONFIG', 'HOME', 'KUBERNETES_SERVICE_HOST'] as const;
const caFile = LOOPBACK_CERTIFICATE_FILE;

const range = (count: number) => Array.from({ length: count }, (_, index) => `prod-eu-${index}`);

describe('the kubeconfig', () => {
  const before = Object.fromEntries(CLUSTER_VARIABLES.map((name) => [name, process.env[name]]));
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'llmkube-home-'));
    for (const name of CLUSTER_VARIABLES) Reflect.deleteProperty(process.env, name);
    process.env.HOME = home;
  });
  afterEach(() => {
    for (const name of CLUSTER_VARIABLES) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  });

  async function codeOf(connecting: Promise<unknown>): Promise<string> {
    return connecting.then(
      () => 'connected',
      (error: ClusterError) => error.code,
    );
  }

  test('is ~/.kube/config when nothing is said', async () => {
    const file = await writeKubeconfig({ home: { server: 'https://home.example', namespace: 'mine' } });
    await mkdir(join(home, '.kube'));
    await writeFile(join(home, '.kube', 'config'), await readFile(file));
    const client = await connect({});
    expect([client.server, client.contextNamespace]).toEqual(['https://home.example', 'mine']);
  });

  test('is a regular file, which a pipe that nobody writes to is not', async () => {
    const pipe = join(home, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(connect({ kubeconfig: pipe })).rejects.toMatchObject({
      code: 'KUBECONFIG_INVALID',
      exitCode: 4,
      message: expect.stringContaining('not a file but a device or a pipe'),
    });
    expect(await codeOf(connect({ kubeconfig: '/dev/zero' }))).toBe('KUBECONFIG_INVALID');
  });

  test.each([
    ['clusters: x', 'clusters is not a list'],
    ['clusters: [{ name: c, cluster: { server: 5 } }]', 'clusters[0].cluster.server is not a string'],
    ['users: [{ name: u, user: { exec: { command: [x] } } }]', 'users[0].user.exec.command is not a string'],
    ['contexts: [{ name: c, context: { cluster: {} } }]', 'contexts[0].context.cluster is not a string'],
  ])('is what kubectl takes, which %s is not', async (text, words) => {
    const file = join(home, 'odd');
    await writeFile(file, text);
    await expect(connect({ kubeconfig: file })).rejects.toMatchObject({
      code: 'KUBECONFIG_INVALID',
      message: expect.stringContaining(words),
    });
  });

  test('is all files of KUBECONFIG: the first to name something wins, missing ones are skipped', async () => {
    const first = await writeKubeconfig({ a: { server: 'https://a.example' } });
    const second = await writeKubeconfig({
      a: { server: 'https://other.example' },
      b: { server: 'https://b.example' },
    });
    process.env.KUBECONFIG = ['/does/not/exist', first, second].join(delimiter);
    expect((await connect({})).server).toBe('https://a.example');
    expect((await connect({ context: 'b' })).server).toBe('https://b.example');
  });

  test('that is named wins over KUBECONFIG', async () => {
    process.env.KUBECONFIG = await writeKubeconfig({ a: { server: 'https://a.example' } });
    const kubeconfig = await writeKubeconfig({ b: { server: 'https://b.example' } });
    expect((await connect({ kubeconfig })).server).toBe('https://b.example');
  });

  test('missing everywhere is an error, not localhost', async () => {
    expect(await codeOf(connect({}))).toBe('KUBECONFIG_NOT_FOUND');
    expect(await codeOf(connect({ kubeconfig: '/does/not/exist' }))).toBe('KUBECONFIG_NOT_FOUND');
    process.env.KUBECONFIG = '/does/not/exist';
    expect(await codeOf(connect({}))).toBe('KUBECONFIG_NOT_FOUND');
  });

  test('without the wanted context says which there are', async () => {
    const kubeconfig = await writeKubeconfig({
      a: { server: 'https://a.example' },
      b: { server: 'https://b.example' },
    });
    const error = await connect({ kubeconfig, context: 'c' }).catch((thrown: ClusterError) => thrown);
    expect(error).toMatchObject({ code: 'CONTEXT_NOT_FOUND', message: 'the kubeconfig has no context "c"' });
    expect((error as ClusterError).options.suggestions?.[0]).toContain('(a, b)');
  });

  test.each([
    ['prod-eu-12x', 'prod-eu-12, prod-eu-1, prod-eu-2, …: the kubeconfig has 30'],
    ['nosuch', `${range(10).join(', ')}, …: the kubeconfig has 30`],
  ])('with many contexts names a few, the nearest to %s', async (context, named) => {
    const entries = Object.fromEntries(range(30).map((name) => [name, { server: 'https://a.example' }]));
    const error = await connect({ kubeconfig: await writeKubeconfig(entries), context }).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as ClusterError).options.suggestions).toEqual([`choose one with --kube-context (${named})`]);
  });

  test('that is not YAML is refused without repeating its lines', async () => {
    const kubeconfig = join(home, 'broken');
    await writeFile(kubeconfig, 'users:\n- user: {token: SECRET-IN-FILE\n  bad: [\n');
    const error = (await connect({ kubeconfig }).catch((thrown: ClusterError) => thrown)) as ClusterError;
    expect(error.code).toBe('KUBECONFIG_INVALID');
    expect(`${error.message}${error.stack}`).not.toContain('SECRET-IN-FILE');
  });

  test.each(['contexts: 3', 'just text', ''])('that is YAML but no kubeconfig (%p) is refused', async (text) => {
    const kubeconfig = join(home, 'odd');
    await writeFile(kubeconfig, text);
    expect(await codeOf(connect({ kubeconfig }))).toMatch(/^(KUBECONFIG_INVALID|CONTEXT_NOT_FOUND)$/);
  });

  describe('over TLS', () => {
    let api: KubeApi;
    beforeEach(async () => {
      api = await KubeApi.start({ token: 'right', tls: LOOPBACK_TLS });
    });
    afterEach(() => api.close());

    async function listWith(entry: Parameters<typeof writeKubeconfig>[0][string]): Promise<unknown> {
      const client = await connect({ kubeconfig: await writeKubeconfig({ double: entry }) });
      return client.list('Model', 'default').catch((error: ClusterError) => error.code);
    }

    test('brings its token', async () => {
      expect(await listWith({ server: api.url, caFile, token: 'right' })).toEqual([]);
    });

    test('brings a token from a file that is named relative to it', async () => {
      await writeFile(join(home, 'token'), 'right');
      expect(await listWith({ server: api.url, caFile, user: { tokenFile: join(home, 'token') } })).toEqual([]);
    });

    test('brings what its exec plugin prints, and tells the plugin what it is asked for', async () => {
      const script = join(home, 'plugin.mjs');
      await writeFile(
        script,
        `const { kind, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
         const token = kind === 'ExecCredential' && spec.interactive === false ? 'right' : 'wrong';
         console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`,
      );
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
      expect(await listWith({ server: api.url, caFile, user: { exec } })).toEqual([]);
    });

    test('verifies the server unless it says otherwise', async () => {
      expect(await listWith({ server: api.url, token: 'right' })).toBe('CLUSTER_CERTIFICATE');
      expect(await listWith({ server: api.url, token: 'right', insecure: true })).toEqual([]);
    });
  });

  test('is refused where it has more in it than all clusters that there are', async () => {
    const file = await writeKubeconfig({ double: { server: 'http://127.0.0.1:1' } });
    await writeFile(file, `extensions: [${'[], '.repeat(80_000)}]\n${await readFile(file, 'utf8')}`);
    const message = expect.stringContaining('cannot be used: it has more than 150000 keys, values and lines');
    await expect(connect({ kubeconfig: file })).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID', message });
  });

  test('goes through the proxy of the environment', async () => {
    const api = await KubeApi.start();
    const asked: (string | undefined)[] = [];
    const proxy = createServer().on('connect', ({ url }, client) => {
      asked.push(url);
      const upstream = connectTo(Number(new URL(api.url).port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const kubeconfig = await writeKubeconfig({ far: { server: 'http://far.example:6443' } });
    const client = await connect({ kubeconfig, proxyFor: () => new URL(`http://127.0.0.1:${port}`) });
    const listed = await client.list('Model', 'default').catch((error: unknown) => error);
    await api.close();
    proxy.close();
    expect(listed).toEqual([]);
    expect(asked).toEqual(['far.example:6443']);
  });

  test('sends no credentials over plain HTTP', async () => {
    const api = await KubeApi.start();
    const kubeconfig = await writeKubeconfig({ double: { server: api.url, token: 'right' } });
    await (await connect({ kubeconfig })).list('Model', 'default');
    expect(api.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
    await api.close();
  });
});
