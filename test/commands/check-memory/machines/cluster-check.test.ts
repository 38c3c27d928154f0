import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { hostConfigMap, type HostReport } from '../../../../src/lib/kube/hosts.js';
import { clusterOfEachTest } from '../../../support/kube/cluster-of-each-test.js';
import type { Json } from '../../../support/kube/kube-types.js';
import { askCli } from '../../../support/cli-session.js';
import { splitWords } from '../../../../src/lib/runtime/server-arguments.js';

const GIB = 2 ** 30;
const MODEL = 'qwen-coder-32b';
const schema = JSON.parse(
  readFileSync(new URL('../../../../schemas/cluster-check.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv({ strict: false }).compile(schema);

const cluster = clusterOfEachTest();

/** A host with so many GiB, of which a tenth is in use and nothing is promised unless it is said. */
function host(agent: string, gib: number, more: Partial<HostReport> = {}): HostReport {
  const memory = {
    source: 'measured',
    totalBytes: gib * GIB,
    inUseBytes: Math.floor(gib * 0.1 * GIB),
    notes: [],
  } as const;
  return {
    ...{ agent, accelerator: 'metal', totalBytes: memory.totalBytes, inUseBytes: memory.inUseBytes },
    ...{ promisedBytes: 0, budgetBytes: 0, gpuBudgetBytes: [], build: 'v0.5.0', services: [] },
    heartbeat: new Date().toISOString(),
    check: { cpuArch: 'arm', memory: { ...memory, gpuWiredLimitBytes: gib * 0.75 * GIB }, policy: {} },
    ...more,
  };
}

async function run(hosts: readonly HostReport[], ...words: readonly string[]) {
  const items = hosts.map((report) => hostConfigMap(report, 'default') as Json);
  cluster.api.inject({ path: /configmaps/, json: { kind: 'ConfigMapList', items } });
  return askCli([...words, ...(words[0] === 'hosts' ? [] : ['--offline'])], { KUBECONFIG: cluster.kubeconfig });
}

const LARGE = host('mac-studio', 64);
const SMALL = host('mini', 16);
const FULL = host('busy', 64, {
  check: {
    cpuArch: 'arm',
    memory: { source: 'measured', totalBytes: 64 * GIB, inUseBytes: 4 * GIB, promisedBytes: 30 * GIB, notes: [] },
    policy: {},
  },
});
const GONE = host('gone', 64, { heartbeat: '2026-01-01T00:00:00Z' });
const OLD = host('old', 64, { check: undefined } as never);

describe('check-memory --cluster', () => {
  test('says of every host whether it can take the model beside what is promised there', async () => {
    const { stdout, exitCode } = await run([LARGE, SMALL, FULL, GONE, OLD], 'check-memory', MODEL, '--cluster');
    const verdicts = stdout
      .split('\n')
      .map((line) => /^(\S+)\s+metal\s+(fits|tight|does not fit|unknown)\b/.exec(line));
    expect(verdicts.flatMap((found) => (found ? [`${found[1]}: ${found[2]}`] : []))).toEqual([
      'mac-studio: fits',
      'mini: does not fit',
      'busy: does not fit',
      'gone: unknown',
      'old: unknown',
    ]);
    expect(stdout).toMatch(/busy.*promised/);
    expect(stdout).toContain('not been heard of since 2026-01-01T00:00:00Z');
    expect(exitCode).toBe(0);
  });

  test('agrees with the check of such a machine', async () => {
    const hosts = await run([SMALL], 'check-memory', MODEL, '--cluster', '--json');
    const here = [
      '--accelerator',
      'metal',
      '--system-memory',
      '16Gi',
      '--in-use',
      '1717986918',
      '--llama-cpp',
      'v0.5.0',
    ];
    const machine = await askCli(['check-memory', MODEL, ...here, '--gpu-layers', '999', '--offline', '--json'], {
      KUBECONFIG: cluster.kubeconfig,
    });
    expect(JSON.parse(hosts.stdout)).toMatchObject({
      hosts: [
        { check: { requirementBytes: (JSON.parse(machine.stdout) as { requirementBytes: number }).requirementBytes } },
      ],
    });
  });

  test('and fit, whether any has room for any of its quantizations, or that could not be found out', async () => {
    const tiny = host('tiny', 4);
    const ends = async (...hosts: HostReport[]) => (await run(hosts, 'fit', MODEL, '--cluster')).exitCode;
    expect([await ends(tiny, LARGE, GONE), await ends(tiny), await ends(tiny, GONE)]).toEqual([0, 1, 3]);
  });

  test.each([
    ['none has room', 1, [SMALL]],
    ['none has room, and one could not be asked', 3, [SMALL, GONE]],
    ['there is none', 3, []],
  ])('where %s exits with %d', async (_what, exitCode, hosts) => {
    expect((await run(hosts, 'check-memory', MODEL, '--cluster')).exitCode).toBe(exitCode);
  });

  test('figures that cannot be computed with are no figures', async () => {
    const broken = host('odd', 64, {
      check: { ...LARGE.check, memory: { ...LARGE.check?.memory, inUseBytes: -1e15 } } as never,
    });
    const { stdout, exitCode } = await run([broken], 'check-memory', MODEL, '--cluster');
    expect(stdout).toMatch(/odd\s+metal\s+unknown/);
    expect(exitCode).toBe(3);
  });

  test('refuses flags about one machine', async () => {
    const { stderr, exitCode } = await run([LARGE], 'check-memory', MODEL, '--cluster', '--system-memory', '8Gi');
    expect(stderr).toMatch(/^Error: --system-memory is about one machine, and --cluster has every host/);
    expect(exitCode).toBe(2);
  });

  test('prints JSON as its schema says', async () => {
    const { stdout } = await run([LARGE, GONE], 'check-memory', MODEL, '--cluster', '--json');
    const json = JSON.parse(stdout) as { hosts: { agent: string; verdict: string }[] };
    expect(validate(json) || validate.errors).toBe(true);
    expect(json.hosts.map(({ verdict }) => verdict)).toEqual(['fits', 'unknown']);
  });
});

describe('fit --cluster', () => {
  test('finds the best launch for every host, with its command', async () => {
    const { stdout, exitCode } = await run([LARGE, GONE], 'fit', MODEL, '--cluster');
    expect(stdout).toMatch(/^mac-studio: llmkube deploy qwen-coder-32b .*--ctx-size \d+/m);
    expect(stdout).toMatch(/^gone\s+metal\s+-/m);
    expect(exitCode).toBe(0);
    const { stdout: text } = await run([LARGE, GONE], 'fit', MODEL, '--cluster', '--json');
    expect(validate(JSON.parse(text)) || validate.errors).toBe(true);
  });
});

test('a deploy that fit prints says nothing twice that was typed and holds for every host', async () => {
  const base = host('mac-studio', 64);
  const report = { ...base, check: { ...base.check, policy: { absoluteBytes: 40 * GIB } } } as HostReport;
  const rules = ['--llama-cpp', 'v0.5.0'];
  const { stdout } = await run([report], 'fit', MODEL, '--cluster', ...rules, '--json');
  const { hosts } = JSON.parse(stdout) as { hosts: readonly { fit: { command: string } }[] };
  const flags = splitWords(hosts[0]?.fit.command ?? '').filter((word) => word.startsWith('--'));
  expect(flags).toContain('--memory-budget');
  expect(new Set(flags).size).toBe(flags.length);
});

test.each([
  ['a Mac', host('mac-studio', 64)],
  [
    'a card, in a machine of which a container has a part',
    host('box', 64, {
      accelerator: 'cuda',
      check: {
        cpuArch: 'x86',
        memory: {
          source: 'measured',
          totalBytes: 64 * GIB,
          inUseBytes: 6 * GIB,
          cgroups: [{ limitBytes: 20 * GIB, inUseBytes: GIB, promisedBytes: GIB }],
          gpus: [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: GIB, promisedBytes: 2 * GIB }],
          notes: [],
        },
        policy: { fraction: 0.8 },
      },
    }),
  ],
])('a deploy that fit prints for %s is taken as it is pasted, and only by that host’s agent', async (_what, report) => {
  const { stdout } = await run([report], 'fit', MODEL, '--cluster', '--json');
  const { hosts } = JSON.parse(stdout) as { hosts: readonly { fit: { command: string; limits: unknown[] } }[] };
  const { command = '', limits } = hosts[0]?.fit ?? {};
  const [, ...words] = splitWords(command);
  const { stdout: text, exitCode } = await askCli([...words, '--offline', '--dry-run', 'client', '--json'], {
    KUBECONFIG: cluster.kubeconfig,
  });
  expect(exitCode).toBe(0);
  const { manifests, ...check } = JSON.parse(text) as {
    launch: { accelerator: string };
    limits: { name: string; requiredBytes: number }[];
    manifests: { kind: string; metadata: { annotations: Record<string, string> } }[];
  };
  expect(check.launch.accelerator).toBe(report.accelerator);
  const required = (all: unknown): unknown => (all as typeof check.limits).map(({ requiredBytes }) => requiredBytes);
  expect(required(check.limits)).toEqual(required(limits));
  const service = manifests.find(({ kind }) => kind === 'InferenceService');
  expect(service?.metadata.annotations['inference.llmkube.dev/agent']).toBe(report.agent);
});

describe('a service’s own rules', () => {
  const ANNOTATED = 'inference.llmkube.dev';
  const key = (plural: string, name: string) => ({ plural, namespace: 'default', name });

  function service(
    name: string,
    annotations: Readonly<Record<string, string>>,
    hardware: Readonly<Record<string, string>> = {},
  ): void {
    const apiVersion = 'inference.llmkube.dev/v1alpha1';
    const once = { dryRun: false };
    const metadata = { name, namespace: 'default', annotations };
    const endpoint = { port: 8080, path: '/', type: 'ClusterIP' };
    const model = { source: '/a.gguf', format: 'gguf', hardware: { accelerator: 'metal', ...hardware } };
    cluster.api.store.create(key('models', name), { apiVersion, kind: 'Model', metadata, spec: model }, 'test', once);
    const spec = { modelRef: name, endpoint };
    cluster.api.store.create(
      key('inferenceservices', name),
      { apiVersion, kind: 'InferenceService', metadata, spec },
      'test',
      once,
    );
  }

  test('its annotations count where it has the name of the model, as in the agent’s own check', async () => {
    service(MODEL, { [`${ANNOTATED}/memory-budget`]: '8Gi' });
    const { stdout, exitCode } = await run([LARGE], 'check-memory', MODEL, '--cluster');
    expect(stdout).toMatch(
      /mac-studio +metal +does not fit .* 8GB +the annotation inference\.llmkube\.dev\/memory-budget/,
    );
    expect(exitCode).toBe(1);
    expect((await run([LARGE], 'fit', MODEL, '--cluster')).stdout).not.toMatch(/^mac-studio: /m);
  });

  test('so do those of one that is named, and after them its Model’s fields', async () => {
    service('other', {}, { memoryBudget: '8Gi' });
    expect((await run([LARGE], 'check-memory', MODEL, '--cluster')).exitCode).toBe(0);
    const named = await run([LARGE], 'check-memory', MODEL, '--cluster', '--service', 'other');
    expect(named.stdout).toContain('spec.hardware.memoryBudget of Model other');
    expect(named.exitCode).toBe(1);
    const missing = await run([LARGE], 'check-memory', MODEL, '--cluster', '--service', 'default/none');
    expect(missing.stderr).toMatch(/^Error: there is no InferenceService "none" in namespace default/);
    expect(missing.exitCode).toBe(4);
  });

  test('one that cannot be read fits nowhere', async () => {
    service(MODEL, { [`${ANNOTATED}/memory-fraction`]: 'all' });
    const { stdout, exitCode } = await run([LARGE], 'check-memory', MODEL, '--cluster');
    expect(stdout).toMatch(/mac-studio +metal +unknown .*memory-fraction says "all"/);
    expect(exitCode).toBe(3);
  });

  test('only the host that it names is asked', async () => {
    service(MODEL, { [`${ANNOTATED}/agent`]: 'mini' });
    const { stdout, exitCode } = await run([LARGE, SMALL], 'check-memory', MODEL, '--cluster');
    expect(stdout).toMatch(/^mini +metal +does not fit/m);
    expect(stdout).not.toContain('mac-studio');
    expect(exitCode).toBe(1);
    const gone = await run([LARGE], 'check-memory', MODEL, '--cluster');
    expect(gone.stderr).toMatch(/^Error: only the agent "mini" may run default\/qwen-coder-32b/);
    expect(gone.exitCode).toBe(3);
  });

  test('hosts says what is left for those that have a budget of their own', async () => {
    const overrides = [
      { service: 'default/a', from: `the annotation ${ANNOTATED}/memory-budget`, budgetBytes: 3 * GIB },
    ];
    const { stdout } = await run([host('mac-studio', 64, { overrides })], 'hosts');
    expect(stdout).toContain(
      '\n\ndefault/a on mac-studio: 3GB left, by the annotation inference.llmkube.dev/memory-budget\n',
    );
  });
});
