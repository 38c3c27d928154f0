import { expect, test } from '@jest/globals';
import { modelFiles } from '../../../../src/lib/agent/store/model-files.js';
import { ModelStore } from '../../../../src/lib/agent/store/model-store.js';
import { presigned, s3Access, s3Url } from '../../../../src/lib/agent/store/s3.js';
import type { ObjectCalls } from '../../../../src/lib/kube/client/object-calls.js';
import { hubFrom } from '../../../../src/lib/source/hub/hub-urls.js';
import { aModel } from '../objects.js';

/** Of Amazon's own example: "Authenticating Requests: Using Query Parameters". */
const KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

test('an address is signed as in Amazon’s example', () => {
  const access = s3Access(KEYS);
  const url = presigned(s3Url('examplebucket', 'test.txt', access), access, new Date('2013-05-24T00:00:00Z'));
  expect(url.host).toBe('examplebucket.s3.amazonaws.com');
  expect(url.searchParams.get('X-Amz-Signature')).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('a store that is not Amazon’s is asked by path, a region by its own host', () => {
  const own = s3Access({ ...KEYS, AWS_ENDPOINT_URL: 'https://minio.lan:9000/' });
  expect(s3Url('models', 'a b/m.gguf', own).href).toBe('https://minio.lan:9000/models/a%20b/m.gguf');
  const far = s3Access({ ...KEYS, AWS_REGION: 'eu-central-1' });
  expect(s3Url('models', 'm.gguf', far).href).toBe('https://models.s3.eu-central-1.amazonaws.com/m.gguf');
});

const filesOf = (source: string, files: string[] | undefined, env: Record<string, string>, mmproj = 'p.gguf') => {
  const model = aModel();
  const spec = { ...model.spec, source, ...(files && { files }), mmproj };
  const rules = { folder: '/store', allowedRoots: [] };
  return modelFiles({ ...model, spec }, rules, hubFrom({}), { cacheDir: '', env } as never, undefined);
};

test('every file of an s3:// source has a signature of its own: shards, projector, the first of files', async () => {
  const { remote, modelPath } = await filesOf('s3://models/org/repo', ['m-00001-of-00002.gguf'], KEYS);
  expect(remote.map(({ url }) => url.pathname)).toEqual([
    '/org/repo/m-00001-of-00002.gguf',
    '/org/repo/m-00002-of-00002.gguf',
    '/org/repo/p.gguf',
  ]);
  expect(new Set(remote.map(({ url }) => url.searchParams.get('X-Amz-Signature'))).size).toBe(3);
  expect(modelPath).toMatch(/^\/store\/default\/tiny\/[0-9a-f]{12}\/m-00001-of-00002\.gguf$/);
});

test('without credentials it is refused, with what the Secret has to hold', async () => {
  await expect(filesOf('s3://models/m.gguf', undefined, {})).rejects.toMatchObject({ code: 'S3_CREDENTIALS' });
});

test.each<[string, string, Record<string, string>]>([
  ['a bucket that is no part of a host’s name', 's3://a b/m.gguf', {}],
  ['a bucket that names another host', 's3://evil.example%2f/m.gguf', {}],
  ['a region that names another host', 's3://models/m.gguf', { AWS_REGION: 'evil.example/' }],
  ['an endpoint that is no address', 's3://models/m.gguf', { AWS_ENDPOINT_URL: 'minio' }],
  ['an endpoint that is no web server', 's3://models/m.gguf', { AWS_ENDPOINT_URL: 'file:///etc' }],
])('%s is refused in a sentence', async (_, source, env) => {
  await expect(filesOf(source, undefined, { ...KEYS, ...env })).rejects.toMatchObject({
    code: 'MODEL_SOURCE_NOT_ALLOWED',
    message: 'bucket, region and endpoint of the s3:// source make no address',
  });
});

test('a projector at another host gets neither key nor session token', async () => {
  const env = { ...KEYS, AWS_SESSION_TOKEN: 'session' };
  const { remote } = await filesOf('s3://models/m.gguf', undefined, env, 'https://elsewhere.example/p.gguf');
  expect(remote[0]?.url.search).toContain('X-Amz-Security-Token=session');
  expect(remote[1]?.url.href).toBe('https://elsewhere.example/p.gguf');
});

test('a Secret that names a store does not bring this host’s own keys there', async () => {
  const model = aModel();
  const spec = { ...model.spec, source: 's3://models/m.gguf', sourceSecretRef: { name: 'evil' } };
  const data = { AWS_ENDPOINT_URL: Buffer.from('https://evil.example').toString('base64') };
  const options = { folder: '/store', allowedRoots: [], allowedHosts: [], cacheDir: '', env: KEYS };
  const store = new ModelStore(options, { get: () => Promise.resolve({ data }) } as unknown as ObjectCalls);
  await expect(store.locate({ ...model, spec }, new AbortController().signal)).rejects.toMatchObject({
    code: 'S3_CREDENTIALS',
  });
});
