import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelFolder } from '../../../../src/lib/agent/store/model-files.js';
import { sweepStore } from '../../../../src/lib/agent/store/sweep.js';
import type { ModelResource } from '../../../../src/lib/kube/client/api.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

const HOUR = 3_600_000;
const NOW = 1.8e12;

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const model = (name: string, source: string, namespace = 'default'): ModelResource => ({
  apiVersion: 'inference.llmkube.dev/v1alpha1',
  kind: 'Model',
  metadata: { name, namespace },
  spec: { source, format: 'gguf', hardware: { accelerator: 'metal' } },
});

/** The file of a Model, fetched. */
function fetched(one: ModelResource): string {
  const own = modelFolder(folder.path, one) ?? '';
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'model.gguf'), 'weights');
  return join(own, 'model.gguf');
}

const sweep = (models: ModelResource[], nowMs: number, inUse: string[] = [], namespace?: string) =>
  sweepStore({ folder: folder.path, namespace, models, inUse, nowMs });

test('a model leaves the disk a day after the last Model that named it, and others stay', () => {
  const [kept, dropped] = [model('a', 'https://host/a.gguf'), model('b', 'https://host/b.gguf')];
  const [keptFile, droppedFile] = [fetched(kept), fetched(dropped)];
  expect(sweep([kept], NOW)).toEqual([]);
  expect(sweep([kept], NOW + 23 * HOUR)).toEqual([]);
  expect(sweep([kept], NOW + 25 * HOUR)).toEqual([join(droppedFile, '..')]);
  expect([existsSync(keptFile), existsSync(droppedFile)]).toEqual([true, false]);
});

test('a Model that names another file leaves the former one', () => {
  const before = fetched(model('a', 'https://host/a.gguf'));
  const now = model('a', 'https://host/a2.gguf');
  const after = fetched(now);
  sweep([now], NOW);
  sweep([now], NOW + 25 * HOUR);
  expect([existsSync(before), existsSync(after)]).toEqual([false, true]);
});

test('one that is named again in between begins anew', () => {
  const one = model('a', 'https://host/a.gguf');
  const file = fetched(one);
  sweep([], NOW);
  sweep([one], NOW + 20 * HOUR);
  sweep([], NOW + 30 * HOUR);
  sweep([], NOW + 50 * HOUR);
  expect(existsSync(file)).toBe(true);
});

test('what a process was given stays, and so does what no store has made', () => {
  const file = fetched(model('a', 'https://host/a.gguf'));
  mkdirSync(join(folder.path, 'default', 'mine', 'photos'), { recursive: true });
  for (const nowMs of [NOW, NOW + 25 * HOUR]) expect(sweep([], nowMs, ['--model', file])).toEqual([]);
  expect(existsSync(join(folder.path, 'default', 'mine', 'photos'))).toBe(true);
});

test('other namespaces than the agent’s own are not its business', () => {
  const file = fetched(model('a', 'https://host/a.gguf', 'team-b'));
  for (const nowMs of [NOW, NOW + 25 * HOUR]) expect(sweep([], nowMs, [], 'team-a')).toEqual([]);
  for (const nowMs of [NOW, NOW + 25 * HOUR]) sweep([], nowMs);
  expect(existsSync(file)).toBe(false);
});

test('a Model that is too large to be read whole keeps what it may name', () => {
  const one = model('a', 'https://host/a.gguf');
  const [file, other] = [fetched(one), fetched(model('b', 'https://host/b.gguf'))];
  const partial: ModelResource = { ...one, spec: { ...one.spec, source: '' }, partial: true };
  sweep([partial], NOW);
  sweep([partial], NOW + 25 * HOUR);
  expect([existsSync(file), existsSync(other)]).toEqual([true, false]);
});
