import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianMirror, sourcesList } from './apt-sources.ts';

test('the mirror is found in deb822 sources, past comments, other distributions and disabled stanzas', () => {
  const debian = `Types: deb
# a remark
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
Enabled: no
URIs: http://off.test/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
URIs: http://mirror.test/security
Suites:
 bookworm-security
Components: contrib main
`;
  const other = 'deb https://packages.test/apt tools-bookworm main\n';
  assert.deepEqual(
    debianMirror([
      { name: 'other.list', text: other },
      { name: 'debian.sources', text: debian },
    ]),
    {
      main: 'http://mirror.test/debian',
      security: 'http://mirror.test/security',
    },
  );
});

test('the mirror is found in one-line sources with options', () => {
  const text =
    '# deb http://no.test/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian trixie main contrib # remark\n';
  assert.deepEqual(debianMirror([{ name: 'sources.list', text }]), { main: 'http://mirror.test/debian', security: undefined });
});

test('a host of another distribution names no mirror', () => {
  assert.equal(debianMirror([{ name: 'sources.list', text: 'deb http://mirror.test/ubuntu noble main\n' }]), undefined);
});

test('a release comes with its updates and security updates, signed by the archive', () => {
  const signed = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
  assert.equal(
    sourcesList({ main: 'http://m/d', security: 'http://m/s' }, 'trixie'),
    `deb ${signed} http://m/d trixie main\ndeb ${signed} http://m/d trixie-updates main\ndeb ${signed} http://m/s trixie-security main\n`,
  );
});
