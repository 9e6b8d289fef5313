import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installedPackages } from './installed-packages.ts';

test('installed packages have their version and source; others are left out', () => {
  const status = `Package: zlib1g
Status: install ok installed
Source: zlib (1:1.2.13)
Version: 1:1.2.13.dfsg-1

Package: gone
Status: deinstall ok config-files
Version: 1

Package: bash
Status: install ok installed
Version: 5.2.15-2+b8
Description: a shell
 Source: not a field
`;
  assert.deepEqual(installedPackages(status), [
    { name: 'bash', version: '5.2.15-2+b8', source: 'bash' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1', source: 'zlib' },
  ]);
});
