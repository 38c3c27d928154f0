import { expect, test } from '@jest/globals';
import { memoryPressure } from '../../../src/lib/host/memory-pressure.js';

const linux = (some: string, full: string) =>
  memoryPressure({
    platform: 'linux',
    run: async () => undefined,
    readText: async () =>
      `some avg10=${some} avg60=90.00 avg300=0.00 total=1\nfull avg10=${full} avg60=90.00 avg300=0.00 total=1\n`,
  });
const mac = (level: string | undefined) =>
  memoryPressure({ platform: 'darwin', run: async () => level, readText: async () => undefined });

test('is what the last ten seconds say on Linux', async () => {
  expect((await linux('0.00', '0.00'))?.level).toBe('normal');
  expect((await linux('12.50', '3.00'))?.level).toBe('warning');
  expect((await linux('40.00', '11.00'))?.level).toBe('critical');
  // A tenth of the time is where each begins.
  expect((await linux('9.99', '0.00'))?.level).toBe('normal');
  expect((await linux('10.00', '9.99'))?.level).toBe('warning');
  expect((await linux('10.00', '10.00'))?.level).toBe('critical');
});

test('counts shares of the time only where something waited', async () => {
  expect((await linux('0.00', '0.00'))?.text).toBe('in the last 10 s no task waited for memory');
  expect((await linux('12.50', '3.00'))?.text).toContain('waited for memory 12.5% of the time, all 3%');
});

test('is the kernel’s own level on macOS', async () => {
  expect([(await mac('1\n'))?.level, (await mac('2\n'))?.level, (await mac('4\n'))?.level]).toEqual([
    'normal',
    'warning',
    'critical',
  ]);
});

test('is not known where the system does not say', async () => {
  expect(await mac(undefined)).toBeUndefined();
  expect(
    await memoryPressure({ platform: 'linux', run: async () => undefined, readText: async () => undefined }),
  ).toBeUndefined();
  const run = async (): Promise<string> => '4\n';
  const readText = async (): Promise<string> => 'full avg10=40.00 avg60=0.00 avg300=0.00 total=1\n';
  expect(await memoryPressure({ platform: 'linux', run, readText })).toBeUndefined();
  expect(await memoryPressure({ platform: 'win32', run, readText })).toBeUndefined();
});
