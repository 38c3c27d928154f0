import { BlockList, isIP } from 'node:net';
import { UsageError } from '../../errors.js';
import { bareHost } from './addresses.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment wants for this URL (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either
 * case), or undefined. This machine itself is never asked through a proxy.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = variable(env, name) ?? variable(env, 'ALL_PROXY');
  if (value === undefined || isLoopback(url) || isExempt(url, variable(env, 'NO_PROXY') ?? '')) return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy;
  throw new UsageError('BAD_PROXY', `${name} is not the address of an HTTP proxy; write it as http://host:port`);
}

function variable(env: Environment, name: string): string | undefined {
  const value = env[name.toLowerCase()] ?? env[name];
  return value === '' ? undefined : value;
}

function isLoopback(url: URL): boolean {
  const host = bareHost(url.hostname);
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function isExempt(url: URL, list: string): boolean {
  const host = bareHost(url.hostname);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (isIP(host) !== 0 && coversAddress(entry, host, port)) return true;
      const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      const suffix = name.replace(/^\*?\./, '');
      return (wantedPort === undefined || wantedPort === port) && (host === suffix || host.endsWith(`.${suffix}`));
    });
}

/** An address (`10.1.2.3`, `fd00::1`, `[fd00::1]`, `[fd00::1]:8080`) or a network (`10.0.0.0/8`). */
function coversAddress(entry: string, host: string, port: string): boolean {
  const [, bare = entry, wantedPort = port] = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== port) return false;
  const [network = '', length] = bare.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const bits = length === undefined ? (family === 'ipv6' ? 128 : 32) : Number(length);
  if (isIP(network) === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 'ipv6' ? 128 : 32)) return false;
  const covered = new BlockList();
  covered.addSubnet(network, bits, family);
  return covered.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
