import type { RouteAccess } from '@coppice/model';
import { parseAddressBlock } from './address-block.ts';
import { type Cursor, child, entries, items, scalarText } from './cursor.ts';
import { quote } from './quote.ts';
import type { RawRouteAccess } from './raw-file.ts';
import type { Report } from './report.ts';

/** Who may ask. `any` stands for every address; an access that says nothing is none. */
export function readRouteAccess(cursor: Cursor<RawRouteAccess> | undefined, report: Report): RouteAccess | undefined {
  if (cursor === undefined) return undefined;
  const basicAuth = Object.fromEntries(entries(child(cursor, 'basic_auth')).map((user) => [user.name, scalarText(user)]));
  const addresses = items(child(cursor, 'addresses')).flatMap((rule) => {
    const { permission, address } = rule.value;
    if (address === 'any' || address === 'all') return [{ permission, block: '0.0.0.0/0' }];
    const parsed = parseAddressBlock(address);
    if ('block' in parsed) return [{ permission, block: parsed.block }];
    const at = child(rule, 'address')?.place.value ?? rule.place.value;
    report.error({ code: 'invalid-address', at, message: `address: ${quote(address)} is no IPv4 block`, hint: parsed.problem });
    return [];
  });
  return Object.keys(basicAuth).length === 0 && addresses.length === 0 ? undefined : { basicAuth, addresses };
}
