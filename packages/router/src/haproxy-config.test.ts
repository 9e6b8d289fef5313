import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationDigest } from './haproxy-config.ts';
import { defaultHoldLimits, holdScript } from './hold-script.ts';

const hold = holdScript(defaultHoldLimits);
const settings = { listen: '127.0.0.1:8080', domain: 'localhost', maxConnections: 100, threads: 1, hold };
const layout = { v: 1, generation: 1, slots: 8, rules: {} } as const;

test('another version of the script, or other limits, are another configuration', () => {
  const digest = configurationDigest(settings, layout);
  const edited = { ...settings, hold: { ...hold, source: `${hold.source}\n` } };
  const limited = { ...settings, hold: { ...hold, limits: { ...hold.limits, inTotal: 5 } } };
  assert.equal(configurationDigest({ ...settings }, layout), digest);
  assert.equal(new Set([digest, configurationDigest(edited, layout), configurationDigest(limited, layout)]).size, 3);
});
