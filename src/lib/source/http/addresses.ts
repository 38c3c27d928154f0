import { BlockList, isIP } from 'node:net';

/** Addresses that mean "inside": loopback, private, link-local, carrier-grade NAT, unspecified, multicast. */
const INSIDE_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];
const INSIDE_IPV6: readonly (readonly [string, number])[] = [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

const inside = new BlockList();
for (const [network, prefix] of INSIDE_IPV4) inside.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of INSIDE_IPV6) inside.addSubnet(network, prefix, 'ipv6');

/** True for an address that the public internet cannot reach; IPv4 addresses inside IPv6 ones count as themselves. */
export function isPrivateAddress(address: string): boolean {
  const bare = bareHost(address);
  return inside.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
}

/** A URL's host without the brackets of IPv6. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
