import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { dirname, join } from 'node:path';
import { reachableAddress } from '../src/lib/agent/host-address.js';
import { RealCluster } from './support/kube/real-cluster.js';
import { cliEnvironment, RUN_JS, runCli } from './support/run-cli.js';
import { temporaryFolder } from './support/sparse-file.js';

/** A folder with kube-apiserver and etcd, a llama-server, and a model of some hundred megabytes that it can load. */
const { LLMKUBE_TEST_APISERVER, LLMKUBE_TEST_LLAMA_SERVER, LLMKUBE_TEST_MODEL } = process.env;
/** A folder with LLMKube's own CustomResourceDefinitions; without it, such as take everything stand for them. */
const { LLMKUBE_TEST_CRDS } = process.env;
const parts = LLMKUBE_TEST_APISERVER && LLMKUBE_TEST_LLAMA_SERVER && LLMKUBE_TEST_MODEL && reachableAddress();

if (!parts) {
  const needed: readonly (readonly [what: string, there: unknown, how: string])[] = [
    [
      'a real Kubernetes API',
      LLMKUBE_TEST_APISERVER,
      'build it with Go (some five minutes): LLMKUBE_CI_BUILD_KUBERNETES=1 .ci/run, or node test/oracle/kubernetes/install.mjs; ' +
        'then LLMKUBE_TEST_APISERVER=test/oracle/kubernetes/bin, or any folder with kube-apiserver and etcd',
    ],
    [
      'a real llama-server',
      LLMKUBE_TEST_LLAMA_SERVER,
      'node test/oracle/llama-server/install.mjs (Python 3); then LLMKUBE_TEST_LLAMA_SERVER=test/oracle/llama-server/llama-server',
    ],
    [
      'a model that it can load',
      LLMKUBE_TEST_MODEL,
      'the same; then LLMKUBE_TEST_MODEL=test/oracle/llama-server/models/SmolLM2-135M.Q4_1.gguf',
    ],
    ['an address that is not loopback', reachableAddress(), 'connect this machine to a network'],
  ];
  const missing = needed.flatMap(([what, there, how]) => (there ? [] : [`  ${what} is missing: ${how}\n`]));
  process.stderr.write(
    `SKIPPED: the agent against a real cluster. Everything else of it was tested.\n${missing.join('')}`,
  );
}

const GROUP = '/apis/inference.llmkube.dev/v1alpha1/namespaces/default';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

function crd(kind: string, plural: string) {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const condition = { ...open, required: ['type'], properties: { type: { type: 'string' } } };
  const conditions = {
    ...{ type: 'array', items: condition },
    ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
  };
  const properties = { spec: open, status: { ...open, properties: { conditions } } };
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.inference.llmkube.dev` },
    spec: {
      group: 'inference.llmkube.dev',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

(parts ? describe : describe.skip)('the agent, a real API server and a real llama-server', () => {
  let cluster: RealCluster;
  let folder: { path: string; remove: () => Promise<void> };
  let agent: ChildProcess | undefined;
  let env: NodeJS.ProcessEnv;
  const log = (): string => readFileSync(join(folder.path, 'agent.log'), 'utf8');

  const startAgent = (): void => {
    const out = openSync(join(folder.path, 'agent.log'), 'a');
    const flags = [
      '--agent-id',
      'box',
      '--accelerator',
      'cpu',
      '--host-ip',
      'auto',
      '--port',
      '0',
      '--log-format',
      'json',
    ];
    const own = [
      ...['--llama-server', LLMKUBE_TEST_LLAMA_SERVER ?? '', '--memory-budget', '900Mi'],
      ...['--allowed-model-roots', dirname(LLMKUBE_TEST_MODEL ?? '')],
    ];
    agent = spawn(process.execPath, [RUN_JS, 'agent', 'run', ...flags, ...own], { env, stdio: ['ignore', out, out] });
    closeSync(out);
  };
  const endAgent = async (signal: NodeJS.Signals): Promise<void> => {
    const gone = new Promise((resolve) => agent?.once('exit', resolve));
    agent?.kill(signal);
    await gone;
  };
  const create = async (name: string, contextSize: number): Promise<void> => {
    const meta = { name, namespace: 'default', annotations: { 'inference.llmkube.dev/agent': 'box' } };
    const apiVersion = 'inference.llmkube.dev/v1alpha1';
    const hardware = { accelerator: 'metal' };
    const model = { source: LLMKUBE_TEST_MODEL, format: 'gguf', hardware };
    const endpoint = { port: 8080, path: '/', type: 'ClusterIP' };
    await cluster.call('POST', `${GROUP}/models`, { apiVersion, kind: 'Model', metadata: meta, spec: model });
    const spec = { modelRef: name, contextSize, endpoint };
    await cluster.call('POST', `${GROUP}/inferenceservices`, {
      apiVersion,
      kind: 'InferenceService',
      metadata: meta,
      spec,
    });
  };
  const patch = (name: string, spec: unknown) =>
    cluster.call('PATCH', `${GROUP}/inferenceservices/${name}`, { spec }, 'application/merge-patch+json');
  const until = async <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> => {
    for (const end = Date.now() + 75_000; Date.now() < end;) {
      const found = await look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`${what} did not happen; the agent says:\n${log()}`);
  };
  const fit = async (name: string): Promise<string | undefined> => {
    const { object } = await cluster.call('GET', `${GROUP}/inferenceservices/${name}`);
    return object.status?.conditions?.find(({ type }: { type: string }) => type === 'MemoryFit')?.reason;
  };
  const address = async (name: string): Promise<string | undefined> => {
    const { object } = await cluster.call('GET', `${SLICES}/${name}`);
    const [endpoint] = object.endpoints ?? [];
    return endpoint?.conditions?.ready ? `http://${endpoint.addresses[0]}:${object.ports[0].port}` : undefined;
  };
  const promised = async (): Promise<readonly { pid: number; who: string }[]> => {
    const { HOME = '', LLMKUBE_STATE_DIR = '' } = env;
    const { stdout } = await runCli(['ledger', '--json'], { HOME, LLMKUBE_STATE_DIR });
    return (JSON.parse(stdout) as { entries: { pid: number; who: string }[] }).entries;
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    cluster = await RealCluster.start(LLMKUBE_TEST_APISERVER ?? '', join(folder.path, 'cluster'));
    for (const [kind, plural] of [
      ['Model', 'models'],
      ['InferenceService', 'inferenceservices'],
    ] as const) {
      const own = LLMKUBE_TEST_CRDS && join(LLMKUBE_TEST_CRDS, `inference.llmkube.dev_${plural}.yaml`);
      const definition = own ? load(readFileSync(own, 'utf8')) : crd(kind, plural);
      await cluster.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    }
    await until('the CRDs', async () => (await cluster.call('GET', `${GROUP}/inferenceservices`)).status === 200);
    const { stdout } = await runCli(['agent', 'manifests', '--json']);
    for (const manifest of JSON.parse(stdout) as { apiVersion: string; kind: string }[]) {
      if (!manifest.apiVersion.startsWith('rbac')) continue;
      const path = `/apis/${manifest.apiVersion}/namespaces/default/${manifest.kind.toLowerCase()}s`;
      expect((await cluster.call('POST', path, manifest)).status).toBe(201);
    }
    env = cliEnvironment({
      KUBECONFIG: await cluster.kubeconfig('agent'),
      LLMKUBE_STATE_DIR: join(folder.path, 'state'),
    });
    startAgent();
  }, 120_000);

  afterAll(async () => {
    if (!parts) return;
    for (const { pid } of await promised()) process.kill(pid, 'SIGKILL');
    await endAgent('SIGKILL');
    await cluster.stop();
    await folder.remove();
  }, 60_000);

  test('a service is claimed, checked, started, registered and answers', async () => {
    await create('small', 512);
    const url = await until('an address', () => address('small'));
    expect(['Fits', 'Tight']).toContain(await fit('small'));
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'What is 2+2?' }], max_tokens: 4 });
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
    expect(answer.status).toBe(200);
  }, 100_000);

  test('one that does not fit beside it is refused, with condition and event, and admitted once the first is gone', async () => {
    await create('large', 2048);
    await until('a refusal', async () => (await fit('large')) === 'InsufficientMemory');
    const { object } = await cluster.call('GET', '/api/v1/namespaces/default/events');
    expect(object.items).toContainEqual(expect.objectContaining({ type: 'Warning', reason: 'InsufficientMemory' }));
    expect((await promised()).map(({ who }) => who)).toEqual(['service default/small']);
    await cluster.call('DELETE', `${GROUP}/inferenceservices/small`);
    await until('an address', () => address('large'));
    expect((await cluster.call('GET', `${SLICES}/small`)).status).toBe(404);
  }, 100_000);

  test('kill −9 of the agent leaves the server, and the next agent takes it over', async () => {
    const [before] = await promised();
    await endAgent('SIGKILL');
    startAgent();
    await until('adoption', async () => log().includes('"adopted"'));
    expect((await promised()).map(({ pid }) => pid)).toEqual([before?.pid]);
  }, 60_000);

  test('a changed spec is another process behind the same Service', async () => {
    const uid = async (): Promise<string> =>
      (await cluster.call('GET', '/api/v1/namespaces/default/services/large')).object.metadata.uid;
    const [process] = await promised();
    const before = await uid();
    await patch('large', { contextSize: 1024 });
    await until('another process', async () => {
      const [now] = await promised();
      return now !== undefined && now.pid !== process?.pid;
    });
    await until('an address', () => address('large'));
    expect(await uid()).toBe(before);
  }, 90_000);

  test('kill −9 of the server is followed by another one, and the address is withdrawn meanwhile', async () => {
    const [before] = await promised();
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await until('no address', async () => (await address('large')) === undefined);
    await until('an address', () => address('large'));
    expect((await promised()).length).toBe(1);
  }, 90_000);

  test('kill −9 of the API server stops nothing, and what changed meanwhile is done afterwards', async () => {
    const [before] = await promised();
    await cluster.killServer();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await promised()).map(({ pid }) => pid)).toEqual([before?.pid]);
    await cluster.startServer();
    await patch('large', { suspend: true });
    await until('an end', async () => (await promised()).length === 0);
    // The phase is written first, the claim given back after it.
    await until('a phase, and no claim', async () => {
      const { metadata, status } = (await cluster.call('GET', `${GROUP}/inferenceservices/large`)).object;
      const claim = metadata.annotations['inference.llmkube.dev/claimed-by'];
      return status?.phase === 'Suspended' && claim === undefined;
    });
    await patch('large', { suspend: false });
    await until('an address', () => address('large'));
  }, 150_000);
});
