import { describe, expect, test } from '@jest/globals';
import { measureLinux } from '../../../src/lib/host/linux.js';

const GIB = 2 ** 30;
const MEMINFO =
  'MemTotal:       65536000 kB\nMemFree:         1000000 kB\nMemAvailable:   40960000 kB\nBuffers: 1 kB\n';
const IN_USE = 24_576_000 * 1024;
const NO_LIMIT = '9223372036854771712';

function linux(contents: Record<string, string>) {
  const files: Record<string, string> = { '/proc/meminfo': MEMINFO, ...contents };
  return {
    readText: async (path: string) => files[path],
    list: async (folder: string) => [
      ...new Set(
        Object.keys(files)
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''),
      ),
    ],
  };
}

describe('a Linux machine', () => {
  test('has in use what /proc/meminfo does not count as available', async () => {
    const host = await measureLinux(linux({}));
    expect(host).toMatchObject({ totalBytes: 65_536_000 * 1024, inUseBytes: IN_USE, cgroups: [] });
  });

  test('gets back what ZFS caches above its least size', async () => {
    const arcstats = '9 1 0x01 1 1 1 1\nname type data\nsize 4 25769803776\nc_min 4 2147483648\nc_max 4 30000000000\n';
    const host = await measureLinux(linux({ '/proc/spl/kstat/zfs/arcstats': arcstats }));
    expect(host.inUseBytes).toBe(IN_USE - 22 * GIB);
  });

  test('that does not say what is available is not guessed at', async () => {
    const reading = measureLinux(linux({ '/proc/meminfo': 'MemTotal: 1 kB\n' }));
    await expect(reading).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED' });
  });
});

describe('the limits of cgroups', () => {
  test('are those of its own group and of those above', async () => {
    const host = await measureLinux(
      linux({
        '/proc/self/cgroup': '0::/user.slice/run.scope\n',
        '/sys/fs/cgroup/user.slice/run.scope/memory.max': 'max\n',
        '/sys/fs/cgroup/user.slice/memory.max': String(8 * GIB),
        '/sys/fs/cgroup/user.slice/memory.current': String(3 * GIB),
        '/sys/fs/cgroup/user.slice/memory.stat': `anon 1\ninactive_file ${GIB}\nactive_file 5\n`,
      }),
    );
    expect(host.cgroups).toEqual([{ path: '/user.slice', limitBytes: 8 * GIB, inUseBytes: 2 * GIB }]);
  });

  test('are found at the root of the mount in a container', async () => {
    const host = await measureLinux(
      linux({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/memory.max': String(4 * GIB),
        '/sys/fs/cgroup/memory.current': String(GIB),
      }),
    );
    expect(host.cgroups).toEqual([{ path: '/', limitBytes: 4 * GIB, inUseBytes: GIB }]);
  });

  test('begin where the kernel begins to throttle', async () => {
    const files = {
      '/sys/fs/cgroup/memory.max': 'max',
      '/sys/fs/cgroup/memory.high': String(6 * GIB),
      '/sys/fs/cgroup/memory.current': '0\n',
    };
    const host = await measureLinux(linux({ '/proc/self/cgroup': '0::/\n', ...files }));
    expect(host.cgroups).toEqual([{ path: '/', limitBytes: 6 * GIB, inUseBytes: 0 }]);
  });

  test.each([
    ['memory.max', '[N/A]'],
    ['memory.max', '-1'],
    ['memory.max', '1e9'],
    ['memory.max', ''],
    ['memory.current', 'nan'],
    ['memory.current', '-4096'],
    ['memory.current', ''],
  ])('are not guessed at where %s says "%s"', async (file, text) => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': String(4 * GIB),
      '/sys/fs/cgroup/memory.current': String(GIB),
    };
    const measuring = measureLinux(linux({ ...files, [`/sys/fs/cgroup/${file}`]: text }));
    await expect(measuring).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED', exitCode: 3 });
  });

  test('are not guessed at where nothing says how much of one is in use', async () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': String(4 * GIB) };
    await expect(measureLinux(linux(files))).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED' });
  });

  test('are those of cgroup v1, which has a number for none', async () => {
    const host = await measureLinux(
      linux({
        '/proc/self/cgroup': '12:memory:/docker/abc\n1:name=systemd:/docker/abc\n',
        '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${NO_LIMIT}\n`,
        '/sys/fs/cgroup/memory/docker/memory.limit_in_bytes': `${8 * GIB}\n`,
        '/sys/fs/cgroup/memory/docker/memory.usage_in_bytes': `${3 * GIB}\n`,
        '/sys/fs/cgroup/memory/docker/memory.stat': `inactive_file 7\ntotal_inactive_file ${GIB}\n`,
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${NO_LIMIT}\n`,
      }),
    );
    expect(host.cgroups).toEqual([{ limitBytes: 8 * GIB, inUseBytes: 2 * GIB }]);
  });

  test('of cgroup v1 hold where a container does not see the group that has them', async () => {
    const host = await measureLinux(
      linux({
        '/proc/self/cgroup': '4:cpu,memory:/docker/abc\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT,
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': String(GIB),
        '/sys/fs/cgroup/memory/memory.stat': `hierarchical_memory_limit ${5 * GIB}\n`,
      }),
    );
    expect(host.cgroups).toEqual([{ limitBytes: 5 * GIB, inUseBytes: GIB }]);
  });

  test('of both versions hold on a hybrid system', async () => {
    const host = await measureLinux(
      linux({
        '/proc/self/cgroup': '3:memory:/job\n0::/job\n',
        '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': String(9 * GIB),
        '/sys/fs/cgroup/memory/job/memory.usage_in_bytes': '0\n',
        '/sys/fs/cgroup/job/memory.max': String(7 * GIB),
        '/sys/fs/cgroup/job/memory.current': '0\n',
      }),
    );
    expect(host.cgroups?.map(({ limitBytes }) => limitBytes / GIB)).toEqual([7, 9]);
  });
});

describe('weights that a running engine has mapped', () => {
  const status = (name: string, gib: number): string =>
    `Name:\t${name}\nRssFile:\t${gib * 2 ** 20} kB\nRssShmem: 0 kB\n`;
  const smaps = (path: string, gib: number, lockedGib = 0): string =>
    [
      `7f0000000000-7f2000000000 r--s 00000000 08:01 131 ${path}`,
      `Rss: ${gib * 2 ** 20} kB`,
      `Pss: ${gib * 2 ** 20} kB`,
      `Locked: ${lockedGib * 2 ** 20} kB`,
      '7f3000000000-7f3000100000 r-xp 00000000 08:01 132 /usr/lib/libc.so.6',
      'Pss: 900 kB\n',
    ].join('\n');

  test.each([
    ['a GGUF file', smaps('/models/a.gguf', 10), 10],
    ['a blob of Ollama', smaps('/root/.ollama/models/blobs/sha256-0a1b', 10), 10],
    ['a file that was deleted since', smaps('/models/a b.gguf (deleted)', 10), 10],
    ['a locked file, which nobody calls available', smaps('/models/a.gguf', 10, 10), 0],
    ['a database', smaps('/var/lib/data.mdb', 10), 0],
  ])('count as in use: %s', async (_name, text, gib) => {
    const host = await measureLinux(linux({ '/proc/41/status': status('server', 10), '/proc/41/smaps': text }));
    expect(host.inUseBytes).toBe(IN_USE + gib * GIB);
  });

  test('count in those processes only that are not counted elsewhere, and map 256 MiB or more', async () => {
    const files = Object.fromEntries(
      [
        [41, 10],
        [42, 6],
        [43, 0.25],
        [44, 0.249],
      ].flatMap(([pid, gib = 0]) => [
        [`/proc/${pid}/status`, status('server', gib)],
        [`/proc/${pid}/smaps`, smaps('/models/a.gguf', gib)],
      ]),
    );
    // 6 and a quarter: without the first, which is of the ledger, and the last
    expect((await measureLinux(linux(files), [41])).inUseBytes).toBe(IN_USE + 6.25 * GIB);
  });

  test('count whole where only root may look closer, if it is an engine', async () => {
    const files = { '/proc/41/status': status('ollama', 6), '/proc/42/status': status('mongod', 6) };
    expect((await measureLinux(linux(files))).inUseBytes).toBe(IN_USE + 6 * GIB);
  });
});
