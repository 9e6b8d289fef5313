import type { EgressRule } from '@coppice/model';
import { parseAddressBlock } from './address-block.ts';
import { type Cursor, child, items } from './cursor.ts';
import { quote } from './quote.ts';
import type { RawFirewall, RawOutbound } from './raw-file.ts';
import type { Report } from './report.ts';

/** What may be reached; undefined without a firewall. Rules without hosts mean every address, rules without ports every port (an empty list). */
export function readFirewall(cursor: Cursor<RawFirewall> | undefined, report: Report): readonly EgressRule[] | undefined {
  if (cursor === undefined) return undefined;
  return items(child(cursor, 'outbound')).map((rule) => readRule(rule, report));
}

function readRule(rule: Cursor<RawOutbound>, report: Report): EgressRule {
  const blocks = items(child(rule, 'ips')).flatMap((ip) => {
    const parsed = parseAddressBlock(ip.value);
    if ('block' in parsed) return [parsed.block];
    report.error({
      code: 'invalid-address',
      at: ip.place.value,
      message: `ips: ${quote(ip.value)} is no IPv4 block`,
      hint: parsed.problem,
    });
    return [];
  });
  const domains = (rule.value.domains ?? []).map((domain) => domain.toLowerCase());
  const isOpen = rule.value.ips === undefined && rule.value.domains === undefined;
  return {
    protocol: rule.value.protocol ?? 'tcp',
    hosts: isOpen ? ['0.0.0.0/0'] : [...blocks, ...domains],
    ports: rule.value.ports ?? [],
  };
}
