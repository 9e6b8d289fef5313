/**
 * An IPv4 address or CIDR block (RFC 4632) in its plain form, `203.0.113.7/32`; or why it is none, with what was probably meant.
 */
export type AddressBlock = { readonly block: string } | { readonly problem: string };

/** Reads `10.0.0.0/8` or `203.0.113.7`. Bits below the prefix are a problem, not rounded away. */
export function parseAddressBlock(text: string): AddressBlock {
  const match = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:\/([0-9]{1,2}))?$/.exec(text);
  if (match === null) return { problem: 'write an IPv4 block such as 10.0.0.0/8' };
  const parts = match.slice(1, 5).map(Number);
  const length = Number(match[5] ?? 32);
  if (parts.some((part) => part > 255)) return { problem: 'each of the four numbers is at most 255' };
  if (length > 32) return { problem: 'the number after / is at most 32' };
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  const network = (address & mask) >>> 0;
  const plain = `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.')}/${length}`;
  return network === address ? { block: plain } : { problem: `did you mean "${plain}"?` };
}
