/** An IPv4 block; `base` is an unsigned 32-bit number with the host bits zero. */
export interface Ipv4Block {
  readonly base: number;
  readonly prefix: number;
}

/** The address as an unsigned number, or undefined where `text` is none. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** Dotted form of an unsigned number. */
export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** The block written as `a.b.c.d/n` (or a single address), or undefined where `text` is none. */
export function parseBlock(text: string): Ipv4Block | undefined {
  const [address = '', prefixText = '32', ...rest] = text.split('/');
  const value = parseIpv4(address);
  const prefix = Number(prefixText);
  if (value === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefixText) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(value / size) * size, prefix };
}

/** `a.b.c.d/n`. */
export function formatBlock(block: Ipv4Block): string {
  return `${formatIpv4(block.base)}/${block.prefix}`;
}

/** Whether the two share an address. */
export function overlap(a: Ipv4Block, b: Ipv4Block): boolean {
  return a.base < b.base + 2 ** (32 - b.prefix) && b.base < a.base + 2 ** (32 - a.prefix);
}
