import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A self-signed certificate for 127.0.0.1, made for the tests and good for nothing else. */
export const LOOPBACK_CERTIFICATE_FILE = fileURLToPath(new URL('tls/loopback.crt', import.meta.url));

export const LOOPBACK_TLS = {
  cert: readFileSync(LOOPBACK_CERTIFICATE_FILE, 'utf8'),
  key: readFileSync(new URL('tls/loopback.key', import.meta.url), 'utf8'),
};
