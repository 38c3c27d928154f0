import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { desiredOf } from '../../../src/lib/agent/core/desired.js';
import { serverWords } from '../../../src/lib/agent/core/words-of-service.js';
import { attemptOf } from '../../../src/lib/agent/core/wanted.js';
import { UsageError } from '../../../src/lib/errors.js';
import type { InferenceServiceResource, ModelResource, ResourceOf } from '../../../src/lib/kube/client/api.js';
import { connect, type KubeClient } from '../../../src/lib/kube/client/client.js';
import { hostConfigMap, listHosts } from '../../../src/lib/kube/hosts.js';
import { hostRecord } from '../../../src/lib/kube/host-record.js';
import { readDeployment } from '../../../src/lib/kube/inventory.js';
import { explain, judge } from '../../../src/lib/kube/deploy/deploy-state.js';
import { recordedCheck } from '../../../src/lib/kube/recorded-check.js';
import { hostsText } from '../../../src/lib/report/text/hosts-text.js';
import { deploymentText, modelsTable, servicesTable } from '../../../src/lib/report/text/inventory-text.js';
import { FAILURE, MODEL, SERVICE } from './cluster-objects.js';
import { printed, printedAsJson } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import type { Subject } from '../subject.js';
import { changedValues } from '../making/values.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-cluster-'));
const KUBECONFIG = join(FOLDER, 'config');
const CREDENTIAL = join(FOLDER, 'credential.json');
const NOW = new Date(0);

/** What the server answers to everything, and how. */
let answer = { code: 200, body: '{}' };
const server = createServer((_, response) => {
  response.writeHead(answer.code, { 'content-type': 'application/json', 'retry-after': '0' }).end(answer.body);
});
const address = new Promise<string>((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
});
server.unref();

/** Lists and objects of the cluster, as the commands print them. */
export const clusterAnswers: Subject = {
  name: 'cluster answers',
  run: async (random) => {
    const client = await connected();
    const list = (item: unknown) => ({ kind: 'List', metadata: { resourceVersion: '7' }, items: [item, item] });
    const name = random.pick(['services', 'models', 'status', 'hosts']);
    const whole = { services: list(SERVICE), models: list(MODEL), status: SERVICE, hosts: list(HOST) }[name];
    respond(200, whole, random);
    if (name === 'services') {
      const services = await client.list('InferenceService', undefined);
      printed(servicesTable(services, true));
      printedAsJson(services.map((service) => [recordedCheck(service), hostRecord(service)]));
      for (const service of services) decided(service, MODEL as unknown as ModelResource);
    } else if (name === 'models') {
      const models = await client.list('Model', undefined);
      printed(modelsTable(models, true, NOW));
      for (const model of models) decided(SERVICE as unknown as InferenceServiceResource, model);
    } else if (name === 'status') {
      const deployment = await readDeployment(client, 'default', 'tiny');
      printed(deploymentText(deployment));
      printedAsJson([recordedCheck(deployment.service), hostRecord(deployment.service)]);
    } else {
      const hosts = await listHosts(client.objects, 'default');
      printed(hostsText(hosts, NOW));
      printedAsJson(hosts);
    }
  },
};

/** Watch events, and `Status` objects of refusals. */
export const watchEvents: Subject = {
  name: 'watch events',
  run: async (random) => {
    const client = await connected();
    const events = [
      { type: 'ADDED', object: MODEL },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
      { type: 'DELETED', object: MODEL },
      { type: 'ERROR', object: FAILURE },
    ];
    const lines = events.slice(random.int(events.length)).map((event) => JSON.stringify(changedValues(event, random)));
    answer = { code: 200, body: random.int(3) === 0 ? random.damaged(lines.join('\n')) : `${lines.join('\n')}\n` };
    const { signal } = new AbortController();
    for await (const event of client.watch({ kind: 'Model', namespace: 'default' }, {}, signal)) {
      if (!('object' in event)) continue;
      const state = { model: event.object, service: SERVICE as unknown as InferenceServiceResource };
      printedAsJson([judge(state, { model: undefined, service: undefined }), explain(event.object)]);
    }
  },
};

export const refusals: Subject = {
  name: 'refusals',
  run: async (random) => {
    const client = await connected();
    respond(random.pick([400, 401, 403, 404, 409, 410, 422, 500]), FAILURE, random);
    await client.apply(MODEL as unknown as ModelResource);
  },
};

/** Kubeconfigs, and what their plugins print. */
export const kubeconfigs: Subject = {
  name: 'kubeconfigs',
  run: async (random) => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/cat', args: [CREDENTIAL] };
    const config = kubeconfig(
      random.int(2) === 0 ? await address : 'https://127.0.0.1:1',
      random.pick([{ exec }, { token: 't' }]),
    );
    writeFileSync(CREDENTIAL, '{}');
    writeFileSync(KUBECONFIG, random.int(2) === 0 ? random.damaged(dump(config)) : dump(changedValues(config, random)));
    await connect({ kubeconfig: KUBECONFIG, context: random.pick([undefined, 'here', 'constructor']) });
  },
};

export const credentials: Subject = {
  name: 'credentials',
  run: async (random) => {
    const status = {
      token: 'secret',
      clientCertificateData: '-----BEGIN CERTIFICATE-----',
      clientKeyData: '-----BEGIN PRIVATE KEY-----',
      expirationTimestamp: '2026-02-03T04:05:06Z',
    };
    const printedByPlugin = JSON.stringify(changedValues({ kind: 'ExecCredential', status }, random));
    writeFileSync(CREDENTIAL, random.int(2) === 0 ? printedByPlugin : random.damaged(printedByPlugin));
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/cat', args: [CREDENTIAL] };
    const file = join(FOLDER, 'plugin-config');
    writeFileSync(file, dump(kubeconfig('https://127.0.0.1:1', { exec })));
    const client = await connect({ kubeconfig: file, timeoutMs: 2000, signal: AbortSignal.timeout(50) });
    await client.list('Model', 'default');
  },
};

/** An object as the client takes it from the API server. @throws ClusterError for one that it does not take */
export async function accepted<K extends 'Model' | 'InferenceService'>(
  kind: K,
  object: unknown,
): Promise<ResourceOf<K>> {
  const connection = await connected();
  answer = { code: 200, body: JSON.stringify({ kind: 'List', metadata: { resourceVersion: '7' }, items: [object] }) };
  const [found] = await connection.list(kind, undefined);
  if (found === undefined) throw new UsageError('NOTHING', 'it is not listed');
  return found;
}

/** What the agent makes of it. */
function decided(service: InferenceServiceResource, model: ModelResource): void {
  const there = <T>(object: T) => ({ kind: 'there', object }) as const;
  const desired = desiredOf(there(service), there(model), { id: 'mac', accelerator: 'metal' });
  if (desired.kind !== 'run') return;
  attemptOf({ service, model });
  const placement = { modelPath: '/m.gguf', alias: 'm', host: '127.0.0.1', port: 1, accelerator: 'metal' } as const;
  printed(serverWords(service.spec, model.spec, { ...placement, known: new Set() }).join(' '));
}

const HOST = hostConfigMap(
  {
    agent: 'mac',
    accelerator: 'metal',
    totalBytes: 2 ** 36,
    inUseBytes: 2 ** 34,
    promisedBytes: 0,
    budgetBytes: 2 ** 35,
    gpuBudgetBytes: [2 ** 35],
    build: 'b11549',
    services: ['default/tiny'],
    heartbeat: '2026-02-03T04:05:06Z',
  },
  'default',
);

function respond(code: number, whole: unknown, random: Random): void {
  const changed = changedValues(whole, random);
  // A host's report is a text within the object.
  const data = (changed as { items?: { data?: { [key: string]: unknown } }[] } | null)?.items?.[0]?.data;
  if (data && typeof data['host.json'] === 'string' && random.int(2) === 0) {
    data['host.json'] = JSON.stringify(
      changedValues(JSON.parse(String(HOST.data && Object.values(HOST.data)[0])), random),
    );
  }
  const body = JSON.stringify(changed);
  answer = { code, body: random.int(4) === 0 ? random.damaged(body) : body };
}

let client: Promise<KubeClient> | undefined;
function connected(): Promise<KubeClient> {
  client ??= (async () => {
    const file = join(FOLDER, 'own-config');
    writeFileSync(file, dump(kubeconfig(await address, { token: 't' })));
    return connect({ kubeconfig: file, timeoutMs: 5000 });
  })();
  return client;
}

function kubeconfig(url: string, user: Readonly<Record<string, unknown>>) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
  };
}
