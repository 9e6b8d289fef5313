import { existsSync } from 'node:fs';
import type { RunSpec } from '../engine.ts';
import { imageName } from './images.ts';
import type { Labels } from './labels.ts';

/** Length of a period of the CPU scheduler's quota, in microseconds. */
export const cpuPeriodUs = 100_000;

/** The parts of the API's container configuration that we set. */
export interface ContainerConfig {
  readonly Image: string;
  readonly [field: string]: unknown;
}

/** Where and as what a container runs. */
export interface ContainerPlace {
  readonly labels: Labels;
  /** Name of the network, and the address in it. */
  readonly network: string;
  readonly address: string | undefined;
}

/**
 * The whole configuration of an instance or job, built from scratch: nothing of it comes from a user unfiltered. Root is
 * read-only, all capabilities but those given are dropped, IPv6 is off, the engine never restarts it.
 */
export function containerConfig(run: RunSpec, place: ContainerPlace): ContainerConfig {
  return {
    Image: imageName(run.image),
    // Without a command of ours, a foreign image runs its own.
    ...(run.argv.length === 0 ? {} : { Entrypoint: [], Cmd: [...run.argv] }),
    User: run.user,
    WorkingDir: run.workingDirectory,
    Env: Object.entries(run.variables).map(([name, value]) => `${name}=${value}`),
    Labels: place.labels,
    StopSignal: run.stop.signal,
    StopTimeout: Math.ceil(run.stop.graceMs / 1000),
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...confinement({ memoryBytes: run.resources.memoryBytes, cpu: run.resources.cpu, processes: 512 }),
      NetworkMode: place.network,
      CapAdd: [...run.capabilities],
      Mounts: run.mounts.map((mount) => bindMount(mount)),
      Tmpfs: Object.fromEntries(run.tmpfs.map((path) => [path, tmpfsOptions(64 * 1024 * 1024, run.user)])),
      ExtraHosts: Object.entries(run.hosts).map(([name, address]) => `${name}:${address}`),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
    NetworkingConfig: {
      EndpointsConfig: { [place.network]: place.address === undefined ? {} : { IPAMConfig: { IPv4Address: place.address } } },
    },
  };
}

/** The limits and locks that instances, jobs and builds share. `cpu` 0 is no quota. */
export function confinement(limits: {
  readonly memoryBytes: number;
  readonly cpu: number;
  readonly processes: number;
}): Record<string, unknown> {
  return {
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    PidsLimit: limits.processes,
    ...memoryAndCpu(limits),
    OomKillDisable: false,
    // Open files are left to the engine: it may be unable to raise a limit that it runs under itself.
    Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
    // A kernel without IPv6 refuses to set what it does not have.
    Sysctls: !existsSync('/proc/sys/net/ipv6/conf/all')
      ? {}
      : { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' },
    RestartPolicy: { Name: 'no' },
    // The first process of a container gets no signal that it has no handler for: without an init most programs would have to be killed.
    Init: true,
    IpcMode: 'private',
    ShmSize: 64 * 1024 * 1024,
  };
}

/** Memory (without swap) and CPU quota as the API takes them at create and at update. */
export function memoryAndCpu(resources: { readonly memoryBytes: number; readonly cpu: number }): Record<string, number> {
  return {
    Memory: resources.memoryBytes,
    MemorySwap: resources.memoryBytes,
    CpuPeriod: cpuPeriodUs,
    CpuQuota: resources.cpu > 0 ? Math.max(1000, Math.round(resources.cpu * cpuPeriodUs)) : -1,
  };
}

/** A bind mount that never creates its source and does not propagate. */
export function bindMount(mount: { readonly target: string; readonly hostPath: string; readonly readOnly: boolean }): unknown {
  return {
    Type: 'bind',
    Source: mount.hostPath,
    Target: mount.target,
    ReadOnly: mount.readOnly,
    BindOptions: { Propagation: 'rprivate', NonRecursive: false },
  };
}

/**
 * Options of a tmpfs that belongs to `user` (`uid:gid`). Programs may run from it: many unpack helpers there. The mode alone would not
 * do: runc up to 1.1 puts back that of the image's folder.
 */
export function tmpfsOptions(sizeBytes: number, user: string): string {
  const owner = /^(\d+):(\d+)$/.exec(user);
  const ownership = owner === null ? '' : `,uid=${owner[1]},gid=${owner[2]}`;
  return `rw,exec,nosuid,nodev,size=${sizeBytes},mode=1777${ownership}`;
}
