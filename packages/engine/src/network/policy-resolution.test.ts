import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkPolicy } from '@coppice/model';
import { node } from '../testing/specs.ts';
import { policyRules, type ResolvedPolicy } from './environment-rules.ts';
import { parseResolvers, parseRoutes } from './host-network.ts';
import { resolvePolicy } from './policy-resolution.ts';

const policy: NetworkPolicy = {
  nodes: [
    { node: node('db'), address: '10.216.0.1', instances: ['10.208.0.2'], serving: ['10.208.0.2'], egress: 'none' },
    {
      node: node('web'),
      address: '10.216.0.2',
      instances: ['10.208.0.3'],
      serving: [],
      egress: [{ protocol: 'tcp', hosts: ['198.51.100.7/24', 'api.example', 'gone.example'], ports: [443, 443] }],
    },
  ],
  edges: [{ from: node('web'), to: node('db'), port: 5432 }],
};
const names = async (name: string): Promise<readonly string[]> => (name === 'api.example' ? ['203.0.113.5', '203.0.113.6'] : []);
const resolved: ResolvedPolicy = {
  known: ['10.208.0.2', '10.208.0.3', '10.208.0.4'],
  edges: [
    { from: '10.208.0.3', to: '10.208.0.2', port: 5432 },
    { from: '10.208.0.4', to: '10.208.0.2', port: 5432 },
  ],
  calls: [
    { from: '10.208.0.3', to: '10.216.0.1', port: 5432 },
    { from: '10.208.0.4', to: '10.216.0.1', port: 5432 },
  ],
  open: [],
  listed: ['198.51.100.0/24', '203.0.113.5', '203.0.113.6'].map((to) => ({
    from: ['10.208.0.3', '10.208.0.4'],
    to,
    protocol: 'tcp' as const,
    ports: [443, 443],
  })),
  services: [
    { address: '10.216.0.1', serving: ['10.208.0.2'] },
    { address: '10.216.0.2', serving: [] },
  ],
};

test('an instance that is just starting counts as one of its node, and a name is resolved', async () => {
  assert.deepEqual(await resolvePolicy(policy, new Map([['10.208.0.4', 'web']]), names), resolved);
});

test('an address that has passed to another node is no instance of the old one', async () => {
  const now = await resolvePolicy(policy, new Map([['10.208.0.2', 'web']]), names);
  assert.deepEqual([now.edges, now.known], [[], ['10.208.0.2', '10.208.0.3']]);
});

test('what is no address never reaches the rules', async () => {
  const bad: NetworkPolicy = {
    nodes: [{ node: node('db'), address: '10.216.0.1', instances: ['1.1.1.1 } ; flush ruleset'], serving: [], egress: 'none' }],
    edges: [],
  };
  await assert.rejects(resolvePolicy(bad, new Map(), names), { code: 'invalid-request' });
});

test('a policy is one text that replaces all of the bridge', () => {
  assert.deepEqual(policyRules({ table: 'coppice_s', bridge: 'cop0' }, resolved).split('\n'), [
    'flush set inet coppice_s known_cop0',
    'add element inet coppice_s known_cop0 { 10.208.0.2, 10.208.0.3, 10.208.0.4 }',
    'flush set inet coppice_s open_cop0',
    'flush set inet coppice_s edges_cop0',
    'add element inet coppice_s edges_cop0 { 10.208.0.3 . 10.208.0.2 . 5432, 10.208.0.4 . 10.208.0.2 . 5432 }',
    'flush set inet coppice_s calls_cop0',
    'add element inet coppice_s calls_cop0 { 10.208.0.3 . 10.216.0.1 . 5432, 10.208.0.4 . 10.216.0.1 . 5432 }',
    'flush chain inet coppice_s listed_cop0',
    'add rule inet coppice_s listed_cop0 ip saddr != { 10.208.0.3, 10.208.0.4 } return',
    'add rule inet coppice_s listed_cop0 jump names',
    'add rule inet coppice_s listed_cop0 jump guarded',
    ...['198.51.100.0/24', '203.0.113.5', '203.0.113.6'].map(
      (to) => `add rule inet coppice_s listed_cop0 ip saddr { 10.208.0.3, 10.208.0.4 } ip daddr ${to} tcp dport { 443 } accept`,
    ),
    'flush chain inet coppice_s services_cop0',
    'add rule inet coppice_s services_cop0 ip saddr . ip daddr . tcp dport != @calls_cop0 return',
    'add rule inet coppice_s services_cop0 ip daddr 10.216.0.1 meta l4proto tcp dnat ip to 10.208.0.2',
  ]);
});

test('several serving instances share the calls', () => {
  const shared = { ...resolved, services: [{ address: '10.216.0.1', serving: ['10.208.0.2', '10.208.0.9'] }] };
  assert.match(
    policyRules({ table: 't', bridge: 'b' }, shared),
    /dnat ip to numgen random mod 2 map \{ 0 : 10\.208\.0\.2, 1 : 10\.208\.0\.9 \}$/,
  );
});

test('routes and resolvers of the host are read', () => {
  const table = [
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    '',
  ].join('\n');
  assert.deepEqual(parseRoutes(table), [
    { device: 'eth0', base: 0, prefix: 0 },
    { device: 'docker0', base: 172 * 2 ** 24 + 17 * 2 ** 16, prefix: 16 },
  ]);
  assert.deepEqual(parseResolvers('# x\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver fe80::1\n'), ['192.0.2.53']);
});
