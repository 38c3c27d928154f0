import { describe, expect, test } from '@jest/globals';
import { measureLinux } from '../../../src/lib/host/linux.js';

const GIB = 2 ** 30;
const MEMINFO =
  'MemTotal:       65536000 kB\nMemFree:         1000000 kB\nMemAvailable:   40960000 kB\nBuffers: 1 kB\n';

const files = (contents: Record<string, string>) => async (path: string) => contents[path];

describe('a Linux machine', () => {
  test('has in use what /proc/meminfo does not count as available', async () => {
    const host = await measureLinux(files({ '/proc/meminfo': MEMINFO }));
    expect(host).toMatchObject({ totalBytes: 65_536_000 * 1024, inUseBytes: 24_576_000 * 1024, cgroups: [] });
  });

  test('is held to the limits of its cgroup and of those above', async () => {
    const host = await measureLinux(
      files({
        '/proc/meminfo': MEMINFO,
        '/proc/self/cgroup': '0::/user.slice/run.scope\n',
        '/sys/fs/cgroup/user.slice/run.scope/memory.max': 'max\n',
        '/sys/fs/cgroup/user.slice/memory.max': String(8 * GIB),
        '/sys/fs/cgroup/user.slice/memory.current': String(3 * GIB),
        '/sys/fs/cgroup/user.slice/memory.stat': `anon 1\ninactive_file ${GIB}\nactive_file 5\n`,
      }),
    );
    expect(host.cgroups).toEqual([{ limitBytes: 8 * GIB, inUseBytes: 2 * GIB }]);
  });

  test('in a container finds the limit at the root of the mount', async () => {
    const host = await measureLinux(
      files({
        '/proc/meminfo': MEMINFO,
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/memory.max': String(4 * GIB),
        '/sys/fs/cgroup/memory.current': String(GIB),
      }),
    );
    expect(host.cgroups).toEqual([{ limitBytes: 4 * GIB, inUseBytes: GIB }]);
  });

  test('with cgroup v1 only is not held to anything', async () => {
    const host = await measureLinux(files({ '/proc/meminfo': MEMINFO, '/proc/self/cgroup': '4:memory:/docker/abc\n' }));
    expect(host.cgroups).toEqual([]);
  });

  test('that does not say what is available is not guessed at', async () => {
    const reading = measureLinux(files({ '/proc/meminfo': 'MemTotal: 1 kB\n' }));
    await expect(reading).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED' });
  });
});
