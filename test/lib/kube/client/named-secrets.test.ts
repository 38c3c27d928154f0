import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutNamedSecrets } from '../../../../src/lib/kube/client/named-secrets.js';

describe('a complaint of a foreign program', () => {
  test.each([
    ['token=s3cret99', 'token=***'],
    ['password: hunter2xx', 'password: ***'],
    ['helper --token s3cret99 failed', 'helper --token *** failed'],
    ['helper --client-secret=s3cret99', 'helper --client-secret=***'],
    ['client_secret=abc123def456', 'client_secret=***'],
    ['refresh_token "1//0abc def" was refused', 'refresh_token *** was refused'],
    ['refresh_token "1//0abc', 'refresh_token ***'],
    ["PASSWORD = 'a b' at line 3", 'PASSWORD = *** at line 3'],
    ['{"accessToken":"a\\"b","expires":1}', '{"accessToken":***,"expires":1}'],
    [String.raw`body {\"id_token\":\"abc\"}`, String.raw`body {\"id_token\":***}`],
    ['run ["helper", "--api-key", "abc", "--port", "1"]', 'run ["helper", "--api-key", ***, "--port", "1"]'],
  ])('has no secret of %s', (text, expected) => {
    expect(withoutNamedSecrets(text)).toBe(expected);
  });

  test.each([
    'token is expired',
    'invalid token: expired',
    'cannot fetch token: 400 Bad Request',
    'oauth2: cannot fetch token: oauth2: "invalid_grant" "Bad Request"',
    '--token is required',
    'the password must not be empty',
    'tokens: 8192, max_tokens=12',
    '--token-file /var/run/token',
  ])('says what it said where it gives nothing away: %s', (text) => {
    expect(withoutNamedSecrets(text)).toBe(text);
  });

  test('never has what stands behind a name that calls it secret, however both are written', () => {
    const name = fc
      .tuple(
        fc.constantFrom('', 'x-', 'MY_', 'client_', 'refresh_', 'aws'),
        fc.constantFrom('token', 'Secret', 'PASSWORD', 'passwd', 'api_key', 'apiKey', 'access-key', 'passphrase'),
      )
      .map((parts) => parts.join(''));
    const secret = fc.stringMatching(/^[a-z0-9+/_.:,;=!-]{0,20}[0-9][a-z0-9+/_.-]{4,20}$/);
    const written = fc.constantFrom<((name: string, secret: string) => string)[]>(
      (key, value) => `${key}=${value}`,
      (key, value) => `${key} = '${value} ${value}'`,
      (key, value) => `${key}: ${value}`,
      (key, value) => `"${key}":"${value}"`,
      (key, value) => `--${key} "${value}"`,
      (key, value) => `--${key} x${value}`,
      (key, value) => `${key} "${value}`,
    );
    fc.assert(
      fc.property(name, secret, written, fc.lorem(), (key, value, write, words) => {
        expect(withoutNamedSecrets(`${words} ${write(key, value)}`)).not.toContain(value);
      }),
    );
  });
});
