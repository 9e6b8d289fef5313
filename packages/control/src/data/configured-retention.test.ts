import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { configuredRetention } from './configured-retention.ts';

test('what is kept is kept for a week and for twenty deployments, unless the server is told otherwise', () => {
  assert.deepEqual(configuredRetention({ COPPICE_TRASH_DAYS: '' }), { trashDays: 7, deployments: 20 });
  assert.deepEqual(configuredRetention({ COPPICE_TRASH_DAYS: '30', COPPICE_KEPT_DEPLOYMENTS: '5' }), { trashDays: 30, deployments: 5 });
  for (const text of ['0', '-1', '1.5', 'a week', '10001']) {
    assert.throws(
      () => configuredRetention({ COPPICE_TRASH_DAYS: text }),
      (error) => isCoppiceError(error, 'invalid-request') && error.message.includes('COPPICE_TRASH_DAYS'),
    );
  }
});
