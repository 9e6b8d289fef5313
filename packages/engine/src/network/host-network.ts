import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { CoppiceError } from '@coppice/model';
import { type Ipv4Block, parseIpv4 } from './ipv4.ts';
import { runTool } from './run-tool.ts';

/** One IPv4 route of the host. */
export interface HostRoute extends Ipv4Block {
  readonly device: string;
}

/** What the rules must know of the host. */
export interface HostNetwork {
  readonly routes: readonly HostRoute[];
  /** Devices that lead out of this host. */
  readonly uplinks: readonly string[];
  /** IPv4 of the name servers of /etc/resolv.conf. */
  readonly resolvers: readonly string[];
  /** Of the device of the default route. */
  readonly mtu: number;
}

/** Reads routes, devices and resolvers as they are now. */
export async function readHostNetwork(): Promise<HostNetwork> {
  const [table, devices, resolvConf] = await Promise.all([
    readFile('/proc/net/route', 'utf8'),
    readdir('/sys/class/net'),
    readFile('/etc/resolv.conf', 'utf8'),
  ]);
  const routes = parseRoutes(table);
  const defaults = routes.filter((route) => route.prefix === 0).map((route) => route.device);
  const uplinks = devices.filter((device) => device !== 'lo' && (defaults.includes(device) || !isBridgeOrPort(device)));
  const [first] = defaults;
  const mtu = first === undefined ? 1500 : Number((await readFile(`/sys/class/net/${first}/mtu`, 'utf8')).trim());
  return { routes, uplinks: uplinks.sort(), resolvers: parseResolvers(resolvConf), mtu };
}

function isBridgeOrPort(device: string): boolean {
  return existsSync(`/sys/class/net/${device}/bridge`) || existsSync(`/sys/class/net/${device}/master`);
}

/** The lines of /proc/net/route: addresses are hexadecimal in the byte order of the machine (little-endian here). */
export function parseRoutes(table: string): readonly HostRoute[] {
  const routes: HostRoute[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [device, destination, , , , , , mask] = line.trim().split(/\s+/);
    if (device === undefined || destination === undefined || mask === undefined) continue;
    const bits = fromHex(mask).toString(2).replaceAll('0', '').length;
    routes.push({ device, base: fromHex(destination), prefix: bits });
  }
  return routes;
}

function fromHex(text: string): number {
  return Buffer.from(text, 'hex').readUInt32LE(0);
}

/** IPv4 name servers that a container can reach: those on the host's own loopback are left out. */
export function parseResolvers(resolvConf: string): readonly string[] {
  const resolvers: string[] = [];
  for (const line of resolvConf.split('\n')) {
    const match = /^\s*nameserver\s+(\S+)/.exec(line);
    const address = match?.[1] ?? '';
    if (parseIpv4(address) !== undefined && !address.startsWith('127.')) resolvers.push(address);
  }
  return resolvers;
}

const bridgeFilter = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** Makes frames between the ports of one bridge pass the rules. Throws `engine-failed` where the kernel cannot. */
export async function ensureBridgeFiltering(): Promise<void> {
  if (!existsSync(bridgeFilter)) await runTool('modprobe', ['br_netfilter'], '');
  await setKernelSwitch(bridgeFilter, '1');
  await setKernelSwitch('/proc/sys/net/bridge/bridge-nf-call-ip6tables', '1');
  await setKernelSwitch('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Turns off, on a bridge of ours, what would let a container learn of or reach around its gateway. */
export async function hardenBridge(device: string): Promise<void> {
  await setKernelSwitch(`/proc/sys/net/ipv4/conf/${device}/send_redirects`, '0');
  const ipv6 = `/proc/sys/net/ipv6/conf/${device}/disable_ipv6`;
  if (existsSync(ipv6)) await setKernelSwitch(ipv6, '1');
}

async function setKernelSwitch(path: string, value: string): Promise<void> {
  try {
    if ((await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
  } catch (error) {
    throw new CoppiceError('engine-failed', `cannot set ${path} to ${value}: the network rules would not hold`, { cause: error });
  }
}
