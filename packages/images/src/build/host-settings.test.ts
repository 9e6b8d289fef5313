import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readHostSettings } from './host-settings.ts';

const folder = await mkdtemp(join(tmpdir(), 'coppice-host-'));
after(() => rm(folder, { recursive: true, force: true }));

test('proxies, the registry and certificates are passed on, folders and tokens of the host are not', async () => {
  const npmrc = join(folder, 'npmrc');
  await writeFile(
    npmrc,
    'registry = "https://u:s3cret@mirror.example/npm/"\n//mirror.example/:_authToken=abc\nnodedir=/usr\nprefix=/root/x\n',
  );
  const certificates = join(folder, 'ca.crt');
  await writeFile(certificates, 'x');
  const environment = {
    HTTPS_PROXY: 'http://me:p%40ss@proxy:3128',
    NO_PROXY: '',
    npm_config_cache: '/root/.npm',
    npm_config_strict_ssl: 'false',
    HOME: '/root',
  };
  const inside = '/etc/ssl/certs/ca-certificates.crt';
  assert.deepEqual(await readHostSettings({ environment, npmrcFiles: [join(folder, 'none'), npmrc], certificates }), {
    variables: {
      HTTPS_PROXY: 'http://me:p%40ss@proxy:3128',
      npm_config_registry: 'https://u:s3cret@mirror.example/npm/',
      npm_config_strict_ssl: 'false',
      NODE_EXTRA_CA_CERTS: inside,
      SSL_CERT_FILE: inside,
      REQUESTS_CA_BUNDLE: inside,
      PIP_CERT: inside,
      CURL_CA_BUNDLE: inside,
      GIT_SSL_CAINFO: inside,
    },
    mounts: [{ target: inside, hostPath: certificates, readOnly: true }],
    secrets: ['me:p%40ss', 'p%40ss', 'me:p@ss', 'p@ss', 'u:s3cret', 's3cret'],
  });
});

test('a host without settings passes nothing on', async () => {
  const sources = { environment: {}, npmrcFiles: [], certificates: join(folder, 'none') };
  assert.deepEqual(await readHostSettings(sources), { variables: {}, mounts: [], secrets: [] });
});

for (const [form, value, secrets] of [
  ['without a scheme', 'me:passw0rd@proxy:3128', ['me:passw0rd', 'passw0rd']],
  ['with an @ in it', 'http://me:p@ssw0rd@proxy:3128/', ['me:p@ssw0rd', 'p@ssw0rd']],
  ['as a token in the place of a name', 'https://tok%2Fen123@mirror/npm/', ['tok%2Fen123', 'tok/en123']],
  ['as a token before an empty password', 'https://token123:@mirror/', ['token123']],
  ['as a token beside the password that says so', 'https://token123:x-oauth-basic@mirror/', ['token123']],
  ['in the second of two URLs', 'https://a/simple https://__token__:token123@b/simple', ['__token__:token123', 'token123']],
  ['nowhere', 'http://proxy:3128/a@b ssh://git@host', []],
] as const) {
  test(`the secret of a URL is found: ${form}`, async () => {
    const sources = { environment: { PIP_EXTRA_INDEX_URL: value }, npmrcFiles: [], certificates: join(folder, 'none') };
    assert.deepEqual((await readHostSettings(sources)).secrets, secrets);
  });
}
