import { createHash } from 'node:crypto';
import { CoppiceError, type EnvironmentId, type NetworkPolicy } from '@coppice/model';
import { type DockerConnection, unlessStatus } from '../docker/docker-connection.ts';
import { DockerStatusError } from '../docker/docker-error.ts';
import { commonLabels, type LabelKind, type Labels, labelFilter, labelNames, networkName } from '../docker/labels.ts';
import type { EnvironmentNetwork } from '../engine.ts';
import { chooseSlot } from './address-plan.ts';
import { AddressReservations } from './address-reservations.ts';
import { bridgeRules, policyRules, type ResolvedPolicy, tableRules, withoutBridge, withoutTable } from './environment-rules.ts';
import { ensureBridgeFiltering, hardenBridge, readHostNetwork } from './host-network.ts';
import { type Ipv4Block, parseBlock } from './ipv4.ts';
import { type ResolveName, resolveOnHost, resolvePolicy } from './policy-resolution.ts';
import { ruleChanges } from './rule-monitor.ts';
import { RuleWriter } from './rule-writer.ts';

interface NetworkInspection {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Labels | null;
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string }[] | null };
}

/** The bridges of one server's environments, and the rules on them. */
export class EnvironmentNetworks {
  readonly reservations = new AddressReservations();
  readonly table: string;
  readonly #connection: DockerConnection;
  readonly #serverId: string;
  readonly #rules: RuleWriter;
  readonly #resolveName: ResolveName;
  readonly #policies = new Map<string, NetworkPolicy>();
  readonly #ensuring = new Map<string, Promise<EnvironmentNetwork>>();
  readonly #known = new Map<string, EnvironmentNetwork>();
  readonly #foreign = new Set<string>();

  constructor(connection: DockerConnection, serverId: string, resolveName: ResolveName = resolveOnHost) {
    if (!/^[A-Za-z0-9_]{1,40}$/.test(serverId)) throw new CoppiceError('invalid-request', `not a server id: "${serverId}"`);
    this.#connection = connection;
    this.#serverId = serverId;
    this.#resolveName = resolveName;
    this.table = `coppice_${serverId}`;
    this.#rules = new RuleWriter(this.table);
  }

  /** Device of the environment's bridge: 14 characters, the same on every call. */
  bridge(environment: string): string {
    return `cop${createHash('sha256').update(`${this.#serverId}/${environment}`).digest('hex').slice(0, 11)}`;
  }

  /** Creates the bridge closed, or finds it; its rules stand before it does. What a policy opened stays open. */
  ensure(environment: string, kind: LabelKind = 'network'): Promise<EnvironmentNetwork> {
    const running = this.#ensuring.get(environment);
    if (running !== undefined) return running;
    const ensuring = this.#ensure(environment, kind).finally(() => this.#ensuring.delete(environment));
    this.#ensuring.set(environment, ensuring);
    return ensuring;
  }

  async #ensure(environment: string, kind: LabelKind): Promise<EnvironmentNetwork> {
    const host = await readHostNetwork();
    await ensureBridgeFiltering();
    const target = { table: this.table, bridge: this.bridge(environment) };
    const [network] = await Promise.all([
      this.find(environment).then((found) => found),
      this.#rules.apply(`${tableRules(this.table, host)}\n${bridgeRules(target)}`),
    ]);
    const ready = network ?? (await this.#create(environment, kind, host));
    await hardenBridge(target.bridge);
    this.#foreign.delete(environment);
    this.#known.set(environment, ready);
    return ready;
  }

  /** The network's subnets, or undefined where there is none. Throws `engine-failed` where somebody else's has its name. */
  async find(environment: string): Promise<EnvironmentNetwork | undefined> {
    const name = networkName(this.#serverId, environment);
    const found = await unlessStatus([404], this.#connection.json<NetworkInspection>({ method: 'GET', path: `/networks/${name}` }));
    if (found === undefined) return undefined;
    const { [labelNames.server]: server, [labelNames.subnet]: subnet, [labelNames.block]: addressBlock } = found.Labels ?? {};
    if (server !== this.#serverId || subnet === undefined || addressBlock === undefined) {
      throw new CoppiceError('engine-failed', `the network ${name} is not ours, but has the name of the environment's`);
    }
    return { subnet, addressBlock };
  }

  /** The network that was ensured in this process or exists; `not-found` where neither. */
  async get(environment: string): Promise<EnvironmentNetwork> {
    const network = this.#known.get(environment) ?? (await this.find(environment));
    if (network === undefined) throw new CoppiceError('not-found', `the environment ${environment} has no network yet`);
    this.#known.set(environment, network);
    return network;
  }

  async #create(environment: string, kind: LabelKind, host: { readonly routes: readonly Ipv4Block[]; readonly mtu: number }) {
    const name = networkName(this.#serverId, environment);
    const refused: Ipv4Block[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const networks = await this.#connection.json<readonly NetworkInspection[]>({ method: 'GET', path: '/networks' });
      const slot = chooseSlot(name, [...host.routes.filter((route) => route.prefix > 0), ...takenBlocks(networks), ...refused]);
      if (slot === undefined) break;
      const labels: Labels = {
        ...commonLabels(this.#serverId, kind),
        [labelNames.environment]: environment,
        [labelNames.subnet]: slot.subnet,
        [labelNames.block]: slot.addressBlock,
      };
      try {
        await this.#connection.json({
          method: 'POST',
          path: '/networks/create',
          body: this.#networkConfig(environment, slot, labels, host.mtu),
        });
        return { subnet: slot.subnet, addressBlock: slot.addressBlock };
      } catch (error) {
        if (!(error instanceof DockerStatusError)) throw error;
        // Another process of this server was faster, or its answer was lost: then it is there.
        const found = error.status === 409 ? await this.find(environment) : undefined;
        if (found !== undefined) return found;
        if (!/overlap/i.test(error.message)) throw error;
        const block = parseBlock(slot.subnet);
        if (block !== undefined) refused.push(block);
      }
    }
    throw new CoppiceError('engine-failed', `no free subnet for ${name} in 10.208.0.0/13`, {
      hint: 'Remove environments that are not used, or other networks in that range.',
    });
  }

  #networkConfig(environment: string, slot: { readonly subnet: string; readonly gateway: string }, labels: Labels, mtu: number): unknown {
    return {
      Name: networkName(this.#serverId, environment),
      CheckDuplicate: true,
      Driver: 'bridge',
      EnableIPv6: false,
      Labels: labels,
      IPAM: { Driver: 'default', Config: [{ Subnet: slot.subnet, Gateway: slot.gateway }] },
      Options: {
        'com.docker.network.bridge.name': this.bridge(environment),
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'true',
        'com.docker.network.driver.mtu': String(mtu),
      },
    };
  }

  /** Whether somebody changed its rules, and `ensure` has not put them back yet. */
  areForeign(environment: string): boolean {
    return this.#foreign.has(environment);
  }

  /** Names all environments where somebody changed the rules since we wrote them. */
  async *foreignRules(signal: AbortSignal): AsyncGenerator<EnvironmentId> {
    for await (const _ of ruleChanges(this.table, signal)) {
      if (!(await this.#rules.wasChanged())) continue;
      for (const environment of this.#policies.keys()) this.#foreign.add(environment);
      yield* [...this.#foreign] as EnvironmentId[];
    }
  }

  /** Swaps the environment's rules to the policy, with the addresses that were reserved meanwhile. */
  async apply(environment: string, policy: NetworkPolicy): Promise<void> {
    this.#policies.set(environment, policy);
    await this.#write(environment, await resolvePolicy(policy, this.reservations.inUse(environment), this.#resolveName));
  }

  /** Opens a bridge for all its addresses towards the outside, and nothing else: for builds. */
  async openOutwards(environment: string, addresses: readonly string[]): Promise<void> {
    await this.#write(environment, { known: addresses, open: addresses, edges: [], calls: [], listed: [], services: [] });
  }

  async #write(environment: string, policy: ResolvedPolicy): Promise<void> {
    const target = { table: this.table, bridge: this.bridge(environment) };
    await this.#rules.apply(`${bridgeRules(target)}\n${policyRules(target, policy)}`);
  }

  /** Applies the last policy again, for addresses reserved since. Nothing where this process has seen no policy yet. */
  async refresh(environment: string): Promise<void> {
    const policy = this.#policies.get(environment);
    if (policy !== undefined) await this.apply(environment, policy);
  }

  /** Removes the bridge, then its rules. Its containers must be gone. */
  async remove(environment: string): Promise<void> {
    if ((await this.find(environment)) !== undefined) {
      await unlessStatus([404], this.#connection.json({ method: 'DELETE', path: `/networks/${networkName(this.#serverId, environment)}` }));
    }
    const target = { table: this.table, bridge: this.bridge(environment) };
    await this.#rules.apply(`${tableRules(this.table, await readHostNetwork())}\n${withoutBridge(target)}`);
    this.#policies.delete(environment);
    this.#foreign.delete(environment);
    this.#known.delete(environment);
    this.reservations.forget(environment);
  }

  /** Names of the environments that have a network here. */
  async environments(): Promise<ReadonlySet<string>> {
    const networks = await this.#list('network');
    return new Set(networks.flatMap((network) => network.Labels?.[labelNames.environment] ?? []));
  }

  /** Removes all networks of the server and its table of rules. */
  async removeAll(): Promise<void> {
    for (const kind of ['network', 'build-network'] as const) {
      for (const network of await this.#list(kind)) {
        await unlessStatus([404], this.#connection.json({ method: 'DELETE', path: `/networks/${network.Id}` }));
      }
    }
    await this.#rules.apply(withoutTable(this.table));
    this.#policies.clear();
    this.#known.clear();
  }

  #list(kind: LabelKind): Promise<readonly NetworkInspection[]> {
    return this.#connection.json({ method: 'GET', path: '/networks', query: { filters: labelFilter(commonLabels(this.#serverId, kind)) } });
  }
}

function takenBlocks(networks: readonly NetworkInspection[]): readonly Ipv4Block[] {
  return networks.flatMap((network) => {
    const subnets = (network.IPAM.Config ?? []).map((config) => config.Subnet ?? '');
    return [...subnets, network.Labels?.[labelNames.block] ?? ''].map(parseBlock).filter((block) => block !== undefined);
  });
}
