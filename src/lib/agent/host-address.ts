import { networkInterfaces } from 'node:os';

/** Networks of containers and virtual machines on this host, which nobody else reaches. */
const OWN_NETWORKS = [/^192\.168\.65\./, /^172\.17\./, /^10\.96\./, /^169\.254\./];
/** Tailscale's: 100.64.0.0/10. */
const TAILSCALE = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;

/** The address by which others most likely reach this host: Tailscale's, else the first of its network; undefined for none. */
export function reachableAddress(
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string | undefined {
  const found = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .filter((address) => !OWN_NETWORKS.some((network) => network.test(address)));
  return found.find((address) => TAILSCALE.test(address)) ?? found[0];
}
