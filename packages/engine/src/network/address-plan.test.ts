import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSlot } from './address-plan.ts';
import { AddressReservations } from './address-reservations.ts';
import { type Ipv4Block, parseBlock, parseIpv4 } from './ipv4.ts';

function blocks(...texts: readonly string[]): readonly Ipv4Block[] {
  return texts.map(parseBlock).filter((block) => block !== undefined);
}

test('a name has its place, and the block of stable addresses lies above it', () => {
  const slot = chooseSlot('coppice-s-e_1', []);
  assert.deepEqual(chooseSlot('coppice-s-e_1', []), slot);
  assert.ok(slot !== undefined);
  const [subnet, block] = [parseBlock(slot.subnet), parseBlock(slot.addressBlock)];
  assert.equal((block?.base ?? 0) - (subnet?.base ?? 0), 8 * 65_536);
  assert.equal(parseIpv4(slot.gateway), (subnet?.base ?? 0) + 1);
});

test('whatever touches the subnet or the block moves on to the next', () => {
  const first = chooseSlot('x', []);
  assert.ok(first !== undefined);
  const second = chooseSlot('x', blocks(first.subnet));
  assert.deepEqual(chooseSlot('x', blocks(first.addressBlock)), second);
  assert.notDeepEqual(second, first);
});

test('two thousand environments find a place, and then none', () => {
  const taken: Ipv4Block[] = [];
  for (let count = 0; count < 2048; count += 1) {
    const slot = chooseSlot(`environment ${count}`, taken);
    assert.ok(slot !== undefined);
    taken.push(...blocks(slot.subnet));
  }
  assert.equal(new Set(taken.map((block) => block.base)).size, 2048);
  assert.equal(chooseSlot('one more', taken), undefined);
});

test('a route over the whole range leaves no place', () => {
  assert.equal(chooseSlot('x', blocks('10.0.0.0/8')), undefined);
});

test('what is no block is none', () => {
  for (const text of ['', '1.2.3', '1.2.3.4/33', '256.1.1.1', '1.2.3.4/8/8', 'example.com', '1.2.3.4/-1', '::1'])
    assert.equal(parseBlock(text), undefined, text);
  assert.deepEqual(parseBlock('10.1.2.3/8'), { base: 10 * 2 ** 24, prefix: 8 });
});

test('addresses are given once, in turn, and are free again when their container is gone', () => {
  const reservations = new AddressReservations();
  const take = (): string => reservations.reserve('e', '10.208.0.0/24', 'web');
  assert.deepEqual([take(), take()], ['10.208.0.2', '10.208.0.3']);
  reservations.release('e', '10.208.0.2');
  assert.equal(take(), '10.208.0.4');
  reservations.confirm('e', '10.208.0.3');
  reservations.learn('e', new Map([['10.208.0.9', 'db']]), reservations.mark());
  assert.deepEqual(
    [...reservations.inUse('e')],
    [
      ['10.208.0.4', 'web'],
      ['10.208.0.9', 'db'],
    ],
  );
});

test('a container made while a listing was under way keeps its address', () => {
  const reservations = new AddressReservations();
  const mark = reservations.mark();
  const address = reservations.reserve('e', '10.208.0.0/24', 'web');
  reservations.confirm('e', address);
  reservations.learn('e', new Map(), mark);
  assert.deepEqual([...reservations.inUse('e').keys()], [address]);
});

test('a full network says so', () => {
  const reservations = new AddressReservations();
  for (let count = 0; count < 253; count += 1) reservations.reserve('e', '10.208.0.0/24', 'web');
  assert.throws(() => reservations.reserve('e', '10.208.0.0/24', 'web'), { code: 'limit-exceeded' });
});
