import { BlockList, isIP } from 'node:net';
import { UsageError } from '../../errors.js';
import { bareHost } from './addresses.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment wants for this URL (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either
 * case), or undefined. Entries of `NO_PROXY` are names, addresses, or networks in CIDR notation. This machine itself is never asked through a proxy.
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

/** `10.0.0.0/8`, `fd00::/8`, or one address, with or without brackets; undefined for a name, or an address with a port. */
function networkOf(entry: string): BlockList | undefined {
  const [, address = '', bits] = /^\[?([^\]/]+)\]?(?:\/(\d+))?$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits ?? 0) > (family === 6 ? 128 : 32)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(bits ?? (family === 6 ? 128 : 32)), family === 6 ? 'ipv6' : 'ipv4');
  return network;
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
      const network = networkOf(entry);
      if (network !== undefined) return isIP(host) !== 0 && network.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
      const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      const suffix = name.replace(/^\*?\./, '').replace(/^\[(.*)\]$/, '$1');
      return (wantedPort === undefined || wantedPort === port) && (host === suffix || host.endsWith(`.${suffix}`));
    });
}
