import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ClusterError } from '../../../src/lib/errors.js';
import type { ModelResource } from '../../../src/lib/kube/client/api.js';
import { connect, type KubeClient } from '../../../src/lib/kube/client/client.js';
import { CLUSTER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';

type Mode = keyof typeof CLUSTER_MODES;

const TINY = { kind: 'Model', namespace: 'default', name: 'tiny' } as const;
const MODEL = {
  apiVersion: 'inference.llmkube.dev/v1alpha1',
  kind: 'Model',
  metadata: { name: 'tiny', namespace: 'default' },
  spec: { source: 'hf:a/b', format: 'gguf' },
} as const satisfies ModelResource;

/** Everything that is asked of a cluster. */
const CALLS: readonly (readonly [string, (client: KubeClient) => Promise<unknown>])[] = [
  ['a list', (client) => client.list('Model', undefined)],
  ['an object', (client) => client.get(TINY)],
  ['an apply', (client) => client.apply(MODEL)],
  ['objects of other kinds', (client) => client.objects.list('/api/v1/namespaces/default/configmaps')],
  [
    'a watch',
    async (client) => {
      for await (const event of client.watch(TINY, {}, AbortSignal.timeout(3000))) if ('object' in event) return;
    },
  ],
];
/** How long a call may take; the others are told by what they send. */
const SHORT_MS = 400;
const LONG_MS = 20_000;
const SLOW: readonly Mode[] = [
  'never answers',
  'says half of its first line',
  'stalls in the middle',
  'drips its answer',
  'drips headers',
  'sends headers without end',
];

describe('a cluster that', () => {
  let server: HostileServer | undefined;
  afterEach(() => server?.close());

  test.each(Object.keys(CLUSTER_MODES) as Mode[])('%s ends each call in one sentence with exit 4', async (mode) => {
    server = await HostileServer.start(CLUSTER_MODES[mode]);
    const kubeconfig = await writeKubeconfig({ hostile: { server: server.url } });
    const client = await connect({ kubeconfig, timeoutMs: SLOW.includes(mode) ? SHORT_MS : LONG_MS });
    for (const [call, ask] of CALLS) {
      const outcome: unknown = await ask(client).catch((error: unknown) => error);
      // A watch is an answer that goes on, in lines; what is no event is passed over or refused when it comes.
      if (call === 'a watch' && outcome === undefined) continue;
      expect([call, outcome]).toEqual([call, expect.any(ClusterError)]);
      const { exitCode, message } = outcome as ClusterError;
      expect([exitCode, message]).toEqual([4, expect.not.stringMatching(/\p{Cc}|\p{Cf}|abcdefghijklmnop/u)]);
      expect(message.length).toBeLessThan(600);
    }
  });

  test('switches protocols is told at once, on a new connection and on one that was used before', async () => {
    const { 'switches protocols': switches } = CLUSTER_MODES;
    const answers: (typeof switches)[] = [
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"items":[]}'),
      switches,
      switches,
    ];
    server = await HostileServer.start((socket) => answers.shift()?.(socket));
    const client = await connect({ kubeconfig: await writeKubeconfig({ hostile: { server: server.url } }) });
    await expect(client.list('Model', undefined)).resolves.toEqual([]);
    const refusal = {
      code: 'CLUSTER_UNEXPECTED_ANSWER',
      exitCode: 4,
      message: `${server.url} answers 101, another protocol than HTTP`,
    };
    await expect(client.list('Model', undefined)).rejects.toMatchObject(refusal);
    await expect(client.list('Model', undefined)).rejects.toMatchObject(refusal);
    expect(server.requestCount).toBe(3);
  });

  const { 'switches protocols': switches } = CLUSTER_MODES;
  const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
  test.each([
    [
      'that switches protocols itself',
      (socket: Socket) => switches(socket),
      'the proxy before http://far.example:6443 does not connect to it: it answers 101, another protocol than HTTP',
    ],
    [
      'that refuses',
      (socket: Socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'),
      'the proxy before http://far.example:6443 does not connect to it: it answers 403',
    ],
    [
      'to a server that switches protocols',
      (socket: Socket) => socket.once('data', () => switches(socket)).write(ESTABLISHED),
      'http://far.example:6443 answers 101, another protocol than HTTP',
    ],
  ])('is behind a proxy %s is told at once, and which of them says so', async (_, open, message) => {
    const proxy = createServer().on('connect', (_request, socket: Socket) => open(socket));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const kubeconfig = await writeKubeconfig({ hostile: { server: 'http://far.example:6443' } });
    const client = await connect({ kubeconfig, proxyFor: () => new URL(`http://127.0.0.1:${port}`) });
    const listed = client.list('Model', undefined).finally(() => proxy.close());
    await expect(listed).rejects.toMatchObject({ exitCode: 4, message });
  });

  test.each(['never answers', 'drips headers'] as const)(
    'is behind a proxy that %s to CONNECT leaves no connection to it when it is given up',
    async (mode) => {
      let closed: Promise<unknown> | undefined;
      server = await HostileServer.start((socket) => {
        closed = once(socket, 'close');
        CLUSTER_MODES[mode](socket);
      });
      const proxy = new URL(server.url);
      const kubeconfig = await writeKubeconfig({ hostile: { server: 'https://far.example:6443' } });
      const client = await connect({ kubeconfig, proxyFor: () => proxy, timeoutMs: SHORT_MS });
      await expect(client.list('Model', undefined)).rejects.toMatchObject({ code: 'CLUSTER_TIMEOUT' });
      await closed;
      expect(server.requestCount).toBe(1);
    },
  );

  test('has one more page for ever is not listed for ever', async () => {
    const page = JSON.stringify({ items: [], metadata: { continue: 'x', padding: 'x'.repeat(2 ** 20) } });
    server = await HostileServer.start((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
      ),
    );
    const client = await connect({ kubeconfig: await writeKubeconfig({ hostile: { server: server.url } }) });
    await expect(client.list('Model', undefined)).rejects.toMatchObject({
      code: 'CLUSTER_UNEXPECTED_ANSWER',
      message: expect.stringContaining('a list of models without end'),
    });
  });

  test('has one more empty page for ever is asked for two hundred', async () => {
    const page = '{"items":[],"metadata":{"continue":"x"}}';
    server = await HostileServer.start((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
      ),
    );
    const client = await connect({ kubeconfig: await writeKubeconfig({ hostile: { server: server.url } }) });
    await expect(client.list('Model', undefined)).rejects.toMatchObject({ code: 'CLUSTER_UNEXPECTED_ANSWER' });
    expect(server.requestCount).toBe(201);
  });

  test('sends a watch nothing but blank lines is told', async () => {
    server = await HostileServer.start(CLUSTER_MODES['sends blank lines without end']);
    const client = await connect({ kubeconfig: await writeKubeconfig({ hostile: { server: server.url } }) });
    const watched = async (): Promise<void> => {
      for await (const event of client.watch(TINY, {}, AbortSignal.timeout(20_000))) if ('object' in event) return;
    };
    await expect(watched()).rejects.toThrow('sends blank lines without end');
  });

  test('is slow each time it is asked again is given up within the time of one call', async () => {
    server = await HostileServer.start((socket) =>
      setTimeout(() => socket.write('HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n'), 300),
    );
    const kubeconfig = await writeKubeconfig({ hostile: { server: server.url } });
    const client = await connect({ kubeconfig, timeoutMs: 500 });
    await expect(client.list('Model', undefined)).rejects.toMatchObject({ code: 'CLUSTER_TIMEOUT' });
  });
});
