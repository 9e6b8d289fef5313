import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddressBlock } from './address-block.ts';
import { complaints, topologyOf, web } from './reading-fixture.ts';

const of = (line: string) => {
  const [node] = topologyOf(web(line)).nodes;
  return node?.kind === 'application' ? node.firewall : undefined;
};

test('without a firewall all outside is open, with an empty one nothing is', () => {
  assert.equal(of('instances: 1'), undefined);
  assert.deepEqual(of('firewall: { outbound: [] }'), []);
});

test('rules name blocks, domains and ports', () => {
  const rule = '{ protocol: udp, ips: [10.0.0.0/8, 203.0.113.7], domains: [API.example.com], ports: [53, 443] }';
  assert.deepEqual(of(`firewall: { outbound: [${rule}] }`), [
    { protocol: 'udp', hosts: ['10.0.0.0/8', '203.0.113.7/32', 'api.example.com'], ports: [53, 443] },
  ]);
});

test('a rule without hosts means all of them, one without ports every port', () => {
  assert.deepEqual(of('firewall: { outbound: [{ ports: [443] }, { domains: [a.org] }] }'), [
    { protocol: 'tcp', hosts: ['0.0.0.0/0'], ports: [443] },
    { protocol: 'tcp', hosts: ['a.org'], ports: [] },
  ]);
});

test('blocks that are none are errors', () => {
  assert.deepEqual(complaints(web('firewall: { outbound: [{ ips: [10.0.0.0/33, 10.1.2.3/8, 300.1.1.1, "::1", example.com] }] }')), [
    'coppice.yaml:5:36  ips: "10.0.0.0/33" is no IPv4 block; the number after / is at most 32',
    'coppice.yaml:5:49  ips: "10.1.2.3/8" is no IPv4 block; did you mean "10.0.0.0/8"?',
    'coppice.yaml:5:61  ips: "300.1.1.1" is no IPv4 block; each of the four numbers is at most 255',
    'coppice.yaml:5:72  ips: "::1" is no IPv4 block; write an IPv4 block such as 10.0.0.0/8',
    'coppice.yaml:5:79  ips: "example.com" is no IPv4 block; write an IPv4 block such as 10.0.0.0/8',
  ]);
});

test('every address and block has one plain form', () => {
  assert.deepEqual(parseAddressBlock('0.0.0.0/0'), { block: '0.0.0.0/0' });
  assert.deepEqual(parseAddressBlock('255.255.255.255'), { block: '255.255.255.255/32' });
  assert.deepEqual(parseAddressBlock('128.0.0.0/1'), { block: '128.0.0.0/1' });
});
