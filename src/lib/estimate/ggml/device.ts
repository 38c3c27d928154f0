/** The host, whose memory CPU and BLAS share, or a GPU by its place in llama.cpp's list of devices. */
export type Device = 'cpu' | number;

/** Bytes on the host and on each GPU, by number. */
export interface DeviceBytes {
  readonly cpu: number;
  readonly gpus: readonly number[];
}

/** Bytes added up for each device. */
export class DeviceTally implements DeviceBytes {
  cpu = 0;
  readonly gpus: number[] = [];

  on(device: Device): number {
    return device === 'cpu' ? this.cpu : (this.gpus[device] ?? 0);
  }

  set(device: Device, bytes: number): void {
    if (device === 'cpu') this.cpu = bytes;
    else {
      while (this.gpus.length < device) this.gpus.push(0);
      this.gpus[device] = bytes;
    }
  }

  add(device: Device, bytes: number): void {
    this.set(device, this.on(device) + bytes);
  }

  addAll({ cpu, gpus }: DeviceBytes): void {
    this.cpu += cpu;
    gpus.forEach((bytes, gpu) => this.add(gpu, bytes));
  }
}

export function allBytes({ cpu, gpus }: DeviceBytes): number {
  return gpus.reduce((sum, bytes) => sum + bytes, cpu);
}

/** The larger of two on each device. */
export function largerOf(a: DeviceBytes, b: DeviceBytes): DeviceBytes {
  const gpus = Array.from({ length: Math.max(a.gpus.length, b.gpus.length) }, (_, gpu) =>
    Math.max(a.gpus[gpu] ?? 0, b.gpus[gpu] ?? 0),
  );
  return { cpu: Math.max(a.cpu, b.cpu), gpus };
}
