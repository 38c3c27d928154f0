import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig-file.js';

const ADMIN_TOKEN = 'admin-token';
const AGENT_TOKEN = 'agent-token';
const LONGEST_START_MS = 60_000;

/** A real kube-apiserver with a real etcd on loopback. */
export class RealCluster {
  #etcd: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    private readonly binaries: string,
    private readonly etcdPort: number,
    readonly port: number,
  ) {}

  /** @param binaries folder with `kube-apiserver` and `etcd`; @param folder for their data */
  static async start(binaries: string, folder: string): Promise<RealCluster> {
    const cluster = new RealCluster(folder, binaries, await freePort(), await freePort());
    mkdirSync(folder, { recursive: true });
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const account = 'system:serviceaccount:default:llmkube-agent';
    const users = `${ADMIN_TOKEN},admin,1,"system:masters"\n${AGENT_TOKEN},${account},2,"system:serviceaccounts"\n`;
    writeFileSync(join(folder, 'tokens.csv'), users);
    const client = `http://127.0.0.1:${cluster.etcdPort}`;
    cluster.#etcd = cluster.#spawn('etcd', [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', 'http://127.0.0.1:0', '--unsafe-no-fsync'],
    ]);
    await cluster.startServer();
    return cluster;
  }

  async startServer(): Promise<void> {
    const { folder, port } = this;
    this.#server = this.#spawn('kube-apiserver', [
      ...['--etcd-servers', `http://127.0.0.1:${this.etcdPort}`, '--bind-address', '127.0.0.1'],
      ...['--secure-port', String(port), '--cert-dir', join(folder, 'certs'), '--endpoint-reconciler-type', 'none'],
      ...['--service-cluster-ip-range', '10.0.0.0/24', '--token-auth-file', join(folder, 'tokens.csv')],
      ...['--authorization-mode', 'RBAC', '--service-account-issuer', 'https://real.test'],
      ...['--service-account-key-file', join(folder, 'sa.pub')],
      ...['--service-account-signing-key-file', join(folder, 'sa.key')],
      ...['--disable-admission-plugins', 'ServiceAccount', '--profiling=false'],
    ]);
    for (const until = Date.now() + LONGEST_START_MS; Date.now() < until;) {
      if ((await this.call('GET', '/readyz').catch(() => undefined))?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error('the API server did not become ready');
  }

  /** As kill −9 does. */
  async killServer(): Promise<void> {
    await ended(this.#server);
  }

  async stop(): Promise<void> {
    await Promise.all([ended(this.#server), ended(this.#etcd)]);
  }

  kubeconfig(who: 'admin' | 'agent'): Promise<string> {
    const token = who === 'admin' ? ADMIN_TOKEN : AGENT_TOKEN;
    return writeKubeconfig({ real: { server: `https://127.0.0.1:${this.port}`, token, insecure: true } });
  }

  async call(method: string, path: string, body?: unknown, type = 'application/json') {
    const { Agent } = await import('node:https');
    const { default: fetch } = await import('node-fetch');
    const answer = await fetch(`https://127.0.0.1:${this.port}${path}`, {
      method,
      agent: new Agent({ rejectUnauthorized: false }),
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    return { status: answer.status, object: (text.startsWith('{') ? JSON.parse(text) : {}) as any };
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, `${program}.log`), 'a');
    return spawn(join(this.binaries, program), args, { stdio: ['ignore', log, log] });
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
