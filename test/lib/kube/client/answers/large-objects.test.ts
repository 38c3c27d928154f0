import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listPageOf, watchEventOf } from '../../../../../src/lib/kube/client/answers/large-objects.js';
import { connect, type KubeClient } from '../../../../../src/lib/kube/client/client.js';
import { writeKubeconfig } from '../../../../support/kube/kubeconfig-file.js';

const MIB = 2 ** 20;
const NAMES = { name: 'big', namespace: 'default', resourceVersion: '7' };

/** As text, with something in its spec that is text, too. */
function model(spec: string, name = 'big', annotations = '{}'): string {
  const metadata = JSON.stringify({ ...NAMES, name }).slice(0, -1);
  return `{"kind":"Model","spec":{"source":"hf:a/b"${spec}},"metadata":${metadata},"annotations":${annotations}}}`;
}

/** About so many bytes of values, each as short as JSON has it. */
function many(value: string, bytes: number): string {
  const times = Math.floor(bytes / (value.length + 1));
  return Array.from({ length: times }, () => value).join(',');
}

const LARGE: readonly (readonly [string, string])[] = [
  ['half a million lists', model(`,"files":[${many('[]', 1.5 * MIB)}]`)],
  ['texts of nothing', model(`,"files":[${many('""', 1.5 * MIB)}]`)],
  ['a text of a megabyte', model(`,"sha256":"${'\\"}]'.repeat(MIB / 4)}"`)],
  [
    'a hundred thousand annotations',
    model('', 'big', `{${Array.from({ length: 1e5 }, (_, i) => `"k${i}":"v"`).join(',')}}`),
  ],
  ['lists in lists', model(`,"ropeScaling":${'['.repeat(1000)}${']'.repeat(1000)}`)],
];

describe('of an object with', () => {
  test.each(LARGE)('%s, only what it is called by is read', (_, text) => {
    const names = { metadata: NAMES, spec: {}, partial: true };
    expect(watchEventOf(`{"type":"MODIFIED","object":${text}}`)).toEqual({ type: 'MODIFIED', object: names });
    expect(watchEventOf(` { "object" : ${text} , "type" : "DELETED" } `)).toEqual({ type: 'DELETED', object: names });
    const small = JSON.parse(model('', 'small')) as unknown;
    const page = listPageOf(`{"items":[${text}, ${model('', 'small')}],"metadata":{"continue":"x"}}`, 10);
    expect(page).toMatchObject({ items: [names, small], next: 'x' });
  });
});

test('of a large service its Models are read, too: they are in use', () => {
  const models = { modelRef: 'tiny', speculativeDecoding: { draftModelRef: 'small' } };
  const spec = JSON.stringify({ replicas: 0, ...models, extraArgs: ['x'.repeat(MIB)] });
  const text = `{"items":[{"spec":${spec},"metadata":${JSON.stringify(NAMES)}}]}`;
  expect(listPageOf(text, 10)?.items).toEqual([{ metadata: NAMES, spec: models, partial: true }]);
});

test('what is asked for at the top is not found in what lies deeper, nor in a text', () => {
  const text = '{"a":{"object":1,"type":"NO"},"b":"\\"object\\":2","type":"ADDED","object":{"metadata":{"name":"x"}}}';
  expect(watchEventOf(text)).toEqual({ type: 'ADDED', object: { metadata: { name: 'x' } } });
});

test('a list without items has none', () => {
  expect(listPageOf('{"items":[],"metadata":{"resourceVersion":"3"}}', 10)?.items).toEqual([]);
});

test('a list that was cut off anywhere is none', () => {
  const whole = `{"kind":"List","items":[${model('')},${model(',"files":["a"]')}],"metadata":{"remainingItemCount":1,"continue":"x"}}`;
  expect(listPageOf(whole, 10)?.items).toHaveLength(2);
  for (let length = 0; length < whole.length; length++) expect(listPageOf(whole.slice(0, length), 10)).toBeUndefined();
});

describe('a cluster in which somebody has made objects as large as etcd takes', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  /** Pages of a list, as many objects as are asked for, and events of all of them. */
  async function clusterOf(objects: readonly string[]): Promise<KubeClient> {
    server = createServer(({ url = '' }, response) => {
      const { searchParams: query } = new URL(url, 'http://cluster');
      if (query.get('watch') === 'true') {
        return response.end(objects.map((object) => `{"type":"MODIFIED","object":${object}}\n`).join(''));
      }
      const from = Number(query.get('continue') ?? 0);
      const to = from + Number(query.get('limit'));
      const next = to < objects.length ? String(to) : '';
      const metadata = JSON.stringify({ resourceVersion: '9', continue: next });
      return response.end(`{"items":[${objects.slice(from, to).join(',')}],"metadata":${metadata}}`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return connect({ kubeconfig: await writeKubeconfig({ large: { server: `http://127.0.0.1:${port}` } }) });
  }

  const large = model(`,"files":[${many('""', 1.5 * MIB)}]`);
  const objects = [model('', 'first'), ...Array.from({ length: 20 }, () => large), model('', 'last')];
  const names = ['first', ...Array.from({ length: 20 }, () => 'big'), 'last'];

  test('lists the others', async () => {
    const { items, version } = await (await clusterOf(objects)).listWithVersion('Model', undefined);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(items.at(-1)?.spec.source).toBe('hf:a/b');
    expect(version).toBe('9');
  });

  test('tells what becomes of the others', async () => {
    const client = await clusterOf(objects);
    const seen: string[] = [];
    for await (const event of client.watch({ kind: 'Model', namespace: undefined }, {}, AbortSignal.timeout(20_000)))
      if ('object' in event) seen.push(event.object.metadata.name);
    expect(seen).toEqual(names);
  });

  test('refuses to read one by itself, and says why', async () => {
    server = createServer((_, response) => response.end(large)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = await connect({
      kubeconfig: await writeKubeconfig({ large: { server: `http://127.0.0.1:${port}` } }),
    });
    await expect(client.get({ kind: 'Model', namespace: 'default', name: 'big' })).rejects.toMatchObject({
      code: 'CLUSTER_UNEXPECTED_ANSWER',
      message: expect.stringContaining('more values than any has that is used'),
    });
  });
});
