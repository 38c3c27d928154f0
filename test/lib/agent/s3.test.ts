import { expect, test } from '@jest/globals';
import { modelFiles } from '../../../src/lib/agent/store/model-files.js';
import { presigned, s3Access, s3Url } from '../../../src/lib/agent/store/s3.js';
import { hubFrom } from '../../../src/lib/source/hub/hub-urls.js';
import { aModel } from './objects.js';

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

const filesOf = (source: string, files: string[] | undefined, env: Record<string, string>) => {
  const model = aModel();
  const spec = { ...model.spec, source, ...(files && { files }), mmproj: 'p.gguf' };
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
