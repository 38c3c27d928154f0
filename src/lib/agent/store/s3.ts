import { createHash, createHmac } from 'node:crypto';
import { CheckIncompleteError } from '../../errors.js';

/** As the Secret of a Model says it, under the names that Amazon's own tools read. */
export interface S3Access {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** Of a store that is not Amazon's, such as MinIO. */
  readonly endpoint: string | undefined;
}

const EXPIRES_S = 86_400;
/** What may be a part of a host's name, and so leads to no other host. */
const NAME_IN_HOST = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i;

/** @throws CheckIncompleteError S3_CREDENTIALS */
export function s3Access(env: Readonly<Record<string, string | undefined>>): S3Access {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new CheckIncompleteError('S3_CREDENTIALS', 'there are no credentials for the s3:// source', {
      suggestions: ['name a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in sourceSecretRef of the Model'],
    });
  }
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: env.AWS_SESSION_TOKEN || undefined,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1',
    endpoint: env.AWS_ENDPOINT_URL || undefined,
  };
}

/**
 * The address of `s3://BUCKET/KEY`: by the host's name at Amazon's, by the path elsewhere.
 * @throws CheckIncompleteError MODEL_SOURCE_NOT_ALLOWED for names and endpoints that make no address, or that of another host
 */
export function s3Url(bucket: string, key: string, { region, endpoint }: S3Access): URL {
  const path = key.split('/').map(encoded).join('/');
  if (endpoint !== undefined) return address(`${endpoint.replace(/\/+$/, '')}/${encoded(bucket)}/${path}`);
  if (!NAME_IN_HOST.test(bucket) || !NAME_IN_HOST.test(region)) throw noAddress();
  const host = region === 'us-east-1' ? 's3.amazonaws.com' : `s3.${region}.amazonaws.com`;
  return address(`https://${bucket}.${host}/${path}`);
}

function address(text: string): URL {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw noAddress();
  return new URL(text);
}

function noAddress(): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_SOURCE_NOT_ALLOWED',
    'bucket, region and endpoint of the s3:// source make no address',
    {
      suggestions: ['write s3://BUCKET/KEY, and correct AWS_REGION and AWS_ENDPOINT_URL in the Secret'],
    },
  );
}

/** An address that may be read for a day without credentials: Signature Version 4 in its query, over nothing but the host. */
export function presigned(url: URL, access: S3Access, now: Date): URL {
  const time = `${now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`;
  const day = time.slice(0, 8);
  const scope = `${day}/${access.region}/s3/aws4_request`;
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${access.accessKeyId}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(EXPIRES_S)],
    ...(access.sessionToken === undefined ? [] : [['X-Amz-Security-Token', access.sessionToken]]),
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map(([name = '', value = '']) => `${name}=${encoded(value)}`)
    .join('&');
  const request = ['GET', url.pathname, query, `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(request).digest('hex')].join('\n');
  const keyOf = [day, access.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${access.secretAccessKey}`,
  );
  const signature = createHmac('sha256', keyOf).update(toSign).digest('hex');
  const signed = new URL(url);
  signed.search = `${query}&X-Amz-Signature=${signature}`;
  return signed;
}

/** As Amazon encodes: everything but letters, digits and four signs. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
