import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { refusedBecauseOfTls, tlsAttempts } from '../../../src/database/tls.js';
import type { SslSettings } from '../../../src/settings/settings.js';

const directory = mkdtempSync(join(tmpdir(), 'pcache-tls-'));
afterAll(() => rmSync(directory, { recursive: true }));
const rootCert = join(directory, 'ca');
writeFileSync(rootCert, 'authority');

function attempts(ssl: SslSettings, host = 'db') {
  return tlsAttempts({ host, port: 5432, user: 'u', password: '', database: 'd', ssl }).map(
    (tls) => {
      if (typeof tls === 'boolean') return 'plain';
      const chain = tls.rejectUnauthorized ? 'chain' : 'unchecked';
      const host = tls.checkServerIdentity ? '' : ' and host';
      return `${chain}${host}${tls.ca ? ` by ${tls.ca}` : ''}`;
    },
  );
}

test.each<[SslSettings, string[]]>([
  [{ mode: 'disable', rootCert }, ['plain']],
  [{ mode: 'allow' }, ['plain', 'unchecked']],
  [{ mode: 'prefer' }, ['unchecked', 'plain']],
  [{ mode: 'prefer', rootCert }, ['unchecked', 'plain']],
  [{ mode: 'require' }, ['unchecked']],
  [{ mode: 'require', rootCert }, ['chain by authority']],
  [{ mode: 'verify-ca', rootCert }, ['chain by authority']],
  [{ mode: 'verify-full', rootCert }, ['chain and host by authority']],
  [{ mode: 'verify-full' }, ['chain and host']],
])('%j', (ssl, expected) => {
  expect(attempts(ssl)).toEqual(expected);
});

test('a Unix socket is always plain', () => {
  expect(attempts({ mode: 'verify-full', rootCert }, '/run/postgresql')).toEqual(['plain']);
});

test.each([
  ['The server does not support SSL connections', {}, true],
  ['write EPROTO', { code: 'EPROTO' }, true],
  ['wrong version', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, true],
  ['no pg_hba.conf entry', { code: '28000', severity: 'FATAL' }, true],
  ['password authentication failed', { code: '28P01', severity: 'FATAL' }, false],
  ['no such database', { code: '3D000', severity: 'FATAL' }, false],
  ['connect ECONNREFUSED', { code: 'ECONNREFUSED' }, false],
  ['timeout expired', {}, false],
])('%s %j: another kind of connection may do: %s', (message, properties, expected) => {
  expect(refusedBecauseOfTls(Object.assign(new Error(message), properties))).toBe(expected);
});
