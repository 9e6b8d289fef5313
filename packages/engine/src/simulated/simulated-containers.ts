import { CoppiceError, type EnvironmentId, type NodeName, sha256 } from '@coppice/model';
import type { GenerationSpec, JobSpec } from '../engine.ts';
import { type BehaviourOf, behaviourOfArgv, type SimulatedBehaviour } from './simulated-behaviour.ts';
import { nameOf, type SimulatedContainer, type SimulatedWorld } from './simulated-world.ts';

type OwnOwner = Exclude<SimulatedContainer['owner'], { readonly kind: 'foreign' }>;

/** Creates a container that does not run yet. Needs the environment's network (`not-found`) and the image (`engine-failed`). */
export async function createSimulatedContainer(
  world: SimulatedWorld,
  creation: {
    readonly owner: OwnOwner;
    readonly spec: GenerationSpec | JobSpec;
    readonly deployment: string;
    readonly behaviours: ReadonlyMap<string, SimulatedBehaviour>;
    readonly behaviourOf: BehaviourOf;
  },
): Promise<SimulatedContainer> {
  const { owner, spec, deployment, behaviours, behaviourOf } = creation;
  const { environment } = spec;
  const network = world.networks.get(environment);
  if (network === undefined) throw new CoppiceError('not-found', `the environment ${environment} has no network yet`);
  if (!world.images.has(spec.image.config)) throw new CoppiceError('engine-failed', `no such image: ${spec.image.config}`);
  const node = owner.kind === 'job' ? owner.key.node : owner.ref.node;
  return await world.effect({ kind: 'create-container', environment, what: nameOf({ node, owner }) }, () => {
    const container: SimulatedContainer = {
      id: world.nextId(),
      environment,
      node,
      owner,
      deployment,
      address: world.reservations.reserve(environment, network.subnet, node),
      run: spec,
      behaviour: behaviourOfArgv(spec.argv) ?? behaviourOf(spec.argv) ?? behaviourFor(owner, node, behaviours),
      state: 'created',
      frozen: false,
      exitCode: undefined,
      outOfMemory: false,
      startedAt: undefined,
      cpu: spec.resources.cpu,
      memoryBytes: spec.resources.memoryBytes,
      probes: 0,
      log: [],
    };
    world.containers.set(container.id, container);
    return container;
  });
}

function behaviourFor(owner: OwnOwner, node: string, behaviours: ReadonlyMap<string, SimulatedBehaviour>): SimulatedBehaviour {
  if (owner.kind === 'job') return behaviours.get(`${node} ${owner.key.hook}`) ?? { exits: { exitCode: 0 } };
  return behaviours.get(`${node}.${owner.index}`) ?? behaviours.get(node) ?? {};
}

/** Starts what was created; it prints, and ends where its behaviour says so. */
export async function startSimulatedContainer(world: SimulatedWorld, container: SimulatedContainer): Promise<void> {
  const { behaviour } = container;
  if (behaviour.startFails !== undefined)
    throw new CoppiceError('engine-failed', `${nameOf(container)} cannot start: ${behaviour.startFails}`);
  await world.effect({ kind: 'start-container', environment: container.environment, what: nameOf(container) }, () => {
    container.state = 'running';
    container.startedAt = world.now();
    for (const text of behaviour.prints ?? []) container.log.push({ time: world.now(), stream: 'stdout', text });
    if (behaviour.exits !== undefined) world.end(container, behaviour.exits.exitCode, behaviour.exits.outOfMemory ?? false);
  });
}

/** Another server's container on the same engine, which runs. */
export function addForeignContainer(world: SimulatedWorld, environment: EnvironmentId, node: NodeName): string {
  const id = world.nextId();
  world.containers.set(id, {
    id,
    environment,
    node,
    owner: { kind: 'foreign' },
    deployment: '',
    address: '',
    run: foreignRun,
    behaviour: {},
    state: 'running',
    frozen: false,
    exitCode: undefined,
    outOfMemory: false,
    startedAt: undefined,
    cpu: 0,
    memoryBytes: 0,
    probes: 0,
    log: [],
  });
  return id;
}

const foreignRun: SimulatedContainer['run'] = {
  image: { manifest: sha256('foreign'), config: sha256('foreign') },
  argv: [],
  user: '0:0',
  workingDirectory: '/',
  variables: {},
  capabilities: [],
  mounts: [],
  tmpfs: [],
  hosts: {},
  resources: { cpu: 0, memoryBytes: 0 },
  stop: { signal: 'SIGTERM', graceMs: 0 },
};
