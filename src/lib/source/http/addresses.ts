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
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['fec0::', 10],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

/**
 * Addresses at which a machine, and nobody else, is told its own secrets: link-local ones, and where clouds have their metadata beside those
 * (Alibaba's, Azure's and Oracle's; of IPv6 those of Amazon's services, and Google's, Oracle's, Scaleway's, Akamai's and Alibaba's).
 */
const OWN_IPV4: typeof INSIDE_IPV4 = [
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
];
const OWN_IPV6: typeof INSIDE_IPV6 = [
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['fd00:c1::a9fe:a9fe', 128],
  ['fd00:42::42', 128],
  ['fd00:a9fe:a9fe::1', 128],
  ['fd00:100::100:200', 128],
];

/** True for an address that the public internet cannot reach; IPv4 addresses inside IPv6 ones count as themselves. */
export const isPrivateAddress = isAmong(INSIDE_IPV4, INSIDE_IPV6);

/** True for an address of which no other server has to know anything, counted the same way. */
export const isOwnAddress = isAmong(OWN_IPV4, OWN_IPV6);

/** The list is made when it is asked for. */
function isAmong(ipv4: typeof INSIDE_IPV4, ipv6: typeof INSIDE_IPV6): (address: string) => boolean {
  let known: BlockList | undefined;
  return (address) => {
    const list = (known ??= listOf(ipv4, ipv6));
    const bare = bareHost(address);
    if (isIP(bare) !== 6) return list.check(bare, 'ipv4');
    const embedded = embeddedIpv4(bare);
    return list.check(bare, 'ipv6') || (embedded !== undefined && list.check(embedded, 'ipv4'));
  };
}

function listOf(ipv4: typeof INSIDE_IPV4, ipv6: typeof INSIDE_IPV6): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ipv4) list.addSubnet(network, prefix, 'ipv4');
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6');
  return list;
}

/** The IPv4 address that is reached through NAT64 (`64:ff9b::/96`), 6to4 (`2002::/16`) or in the old way (`::/96`). */
function embeddedIpv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const [first, second] = groups;
  const last = groups.slice(6);
  const middleIsZero = groups.slice(2, 6).every((group) => group === 0);
  if (first === 0x2002) return dotted(groups.slice(1, 3));
  if (middleIsZero && ((first === 0x64 && second === 0xff9b) || (first === 0 && second === 0))) return dotted(last);
  return undefined;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  const plain = address
    .replace(/%.*$/, '')
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => [a * 256 + +b, c * 256 + +d].map(hex).join(':'));
  const [head = '', tail] = plain.split('::');
  const [before, after] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')));
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const zeros = new Array<string>(tail === undefined ? 0 : Math.max(0, missing)).fill('0');
  return [...(before ?? []), ...zeros, ...(after ?? [])].map((group) => parseInt(group, 16));
}

function dotted([high = 0, low = 0]: readonly number[]): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function hex(value: number): string {
  return value.toString(16);
}

/** A URL's host without the brackets of IPv6. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
