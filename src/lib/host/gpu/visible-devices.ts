/** The environment variables that hide GPUs from an engine, the first that is set counting; by whose GPUs they are. */
const VARIABLES = {
  nvidia: [['CUDA_VISIBLE_DEVICES']],
  amd: [['ROCR_VISIBLE_DEVICES'], ['HIP_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES']],
} as const;

export type Vendor = keyof typeof VARIABLES;

/**
 * The devices that are left, in the order in which an engine numbers them; all of them where nothing is hidden. A list ends
 * at its first word that names no device, as the drivers read it; CUDA sees none at all where one is named twice.
 * @param devices in the driver's own order
 */
export function visibleDevices<T extends object>(
  vendor: Vendor,
  devices: readonly T[],
  env: Readonly<Record<string, string | undefined>>,
): readonly T[] {
  return VARIABLES[vendor].reduce<readonly T[]>((left, names) => {
    const set = names.find((name) => env[name] !== undefined);
    return set === undefined ? left : chosen(vendor, left, env[set] ?? '');
  }, devices);
}

/** The variable that hides devices of this vendor, for a message; undefined where none is set. */
export function hidingVariable(vendor: Vendor, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return VARIABLES[vendor].flat().find((name) => env[name] !== undefined);
}

function chosen<T extends object>(vendor: Vendor, devices: readonly T[], list: string): readonly T[] {
  const found: T[] = [];
  for (const word of list.split(',').map((part) => part.trim())) {
    const device = /^\d+$/.test(word)
      ? devices[Number(word)]
      : devices.find((one) => word !== '' && uuidOf(one).startsWith(word.toLowerCase()));
    if (device === undefined) break;
    if (found.includes(device)) return vendor === 'nvidia' ? [] : found;
    found.push(device);
  }
  return found;
}

function uuidOf(device: object): string {
  return 'uuid' in device ? String(device.uuid).toLowerCase() : '';
}
