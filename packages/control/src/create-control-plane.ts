import type { PushHandler } from '@coppice/git';
import { CoppiceError, type Deployment } from '@coppice/model';
import type { EnvironmentRecord, Project } from '@coppice/state';
import { ActivityRecorder } from './activity-recorder.ts';
import { ChangeQueue } from './change-queue.ts';
import { activityCommands } from './commands/activity-commands.ts';
import { dataCommands } from './commands/data-commands.ts';
import { environmentCommands } from './commands/environment-commands.ts';
import { historyCommands } from './commands/history-commands.ts';
import { PartChecks } from './commands/part-checks.ts';
import type { CommandParts } from './commands/parts.ts';
import { projectCommands } from './commands/project-commands.ts';
import { runtimeCommands } from './commands/runtime-commands.ts';
import type { ControlPlane } from './control-plane.ts';
import { BackupBefore } from './data/backup-before.ts';
import { Brancher } from './data/brancher.ts';
import { Capture } from './data/capture.ts';
import { Cloner } from './data/cloner.ts';
import { DataChanger } from './data/data-changer.ts';
import { DataKeeper } from './data/data-keeper.ts';
import { GarbageCollector } from './data/garbage-collector.ts';
import { lastServed } from './data/last-served.ts';
import { Retention } from './data/retention.ts';
import { SnapshotClaims } from './data/snapshot-claims.ts';
import type { NewData } from './environment/deploy-request.ts';
import { Deployer } from './environment/deployer.ts';
import { HealthMonitor } from './environment/health-monitor.ts';
import { IdleWatch } from './environment/idle-watch.ts';
import { Lingering } from './environment/lingering.ts';
import { LiveDeclarations } from './environment/live-declarations.ts';
import { Loop } from './environment/loop.ts';
import { probeOnce } from './environment/probe-once.ts';
import { Reconciler } from './environment/reconciler.ts';
import { recover } from './environment/recovery.ts';
import { Redeployer } from './environment/redeployer.ts';
import { Remover } from './environment/remover.ts';
import { RestartBackoff } from './environment/restart-backoff.ts';
import { runSleepLoop } from './environment/sleep-loop.ts';
import { Sleeper } from './environment/sleeper.ts';
import { WakeFailures } from './environment/wake-failures.ts';
import type { Ports } from './ports.ts';
import { PushDeployer } from './push/deploy-push.ts';
import { PlanPreview } from './push/plan-preview.ts';
import { PushPreparer } from './push/prepare-push.ts';

/** A control plane that runs: what people ask of it, what git's hooks hand it, and its loop. */
export interface RunningControlPlane {
  readonly control: ControlPlane;
  readonly pushes: PushHandler;
  /** Settles what a server that died left, then starts the loop. */
  start(): Promise<void>;
  /** Stops looking; what runs goes on running. */
  stop(): void;
  /** What waits now. */
  backlog(): Backlog;
}

/** Work of the control plane that is not done yet. */
export interface Backlog {
  /** Changes of environments that wait for others of the same branch. */
  readonly changesWaiting: number;
  /** Milliseconds since the oldest look was asked for that has not seen its environment as desired yet; 0 where there is none. */
  readonly oldestUnsettledMs: number;
}

/** Wires the control plane over its ports. */
export function createControlPlane(ports: Ports): RunningControlPlane {
  const activities = new ActivityRecorder(ports.store, ports);
  const queue = new ChangeQueue();
  const health = new HealthMonitor(probeOnce(ports.engine), ports.clock);
  const backoff = new RestartBackoff(ports.clock, (count) => ports.measure?.({ kind: 'crashes', count }));
  const lingering = new Lingering(ports.router, ports.clock);
  const wakeFailures = new WakeFailures(ports.clock);
  const claims = new SnapshotClaims();
  const keeper = new DataKeeper({ ports, claims });
  const reconciler = new Reconciler({ ports, activities, health, backoff, wakeFailures, lingering, keeper });
  const loop = new Loop({ ports, activities, queue, reconciler, health });
  const lookIn = loop.lookIn.bind(loop);
  const capture = new Capture({ ports, claims, health, lookIn });
  const backups = new BackupBefore({ ports, capture, claims, keeper });
  const deployer = new Deployer({ ports, reconciler, keeper, backups, lookIn });
  const cloner = new Cloner({ ports, queue, capture });
  const sleeper = new Sleeper({ ports, activities, queue, reconciler, wakeFailures, lookIn });
  const declarations = new LiveDeclarations(ports.store);
  const idle = new IdleWatch({ ports, queue, sleeper, declarations });
  const remover = new Remover(ports, activities, reconciler);
  const served = (environment: EnvironmentRecord, target: Deployment): NewData => lastServed(ports.store, environment, target);
  const redeployer = new Redeployer({ ports, activities, queue, deployer, lastServed: served });
  const brancher = new Brancher({ ports, cloner, redeployer });
  const changer = new DataChanger({ ports, activities, queue, reconciler, capture, cloner, keeper, lookIn });
  const retention = new Retention({ ports, keeper, changer, declarations, activities });
  const preview = new PlanPreview(ports, health);
  const preparer = new PushPreparer(ports, activities, preview);
  const pusher = new PushDeployer({ ports, activities, queue, deployer, remover, preparer, cloner });
  const stopping = new AbortController();
  const checks = new PartChecks({
    engine: () => ports.engine.probe(),
    router: () => ports.router.current(),
    volumes: () => ports.volumes.list(),
    state: async () => ports.store.projects.list(),
    loop: async () => loop.check(),
  });
  const parts: CommandParts = {
    ports,
    activities,
    queue,
    health,
    backoff,
    preview,
    redeployer,
    remover,
    sleeper,
    checks,
    brancher,
    changer,
    keeper,
    garbage: new GarbageCollector({ ports, keeper, outdated: () => retention.outdated() }),
  };
  return {
    control: {
      ...projectCommands(parts),
      ...environmentCommands(parts),
      ...historyCommands(parts),
      ...activityCommands(parts),
      ...dataCommands(parts),
      ...runtimeCommands(parts),
    },
    pushes: {
      prepare: async (push) => await preparer.prepare(push, projectOf(ports, push.project)),
      deploy: async (push) => await pusher.deploy(push, projectOf(ports, push.project)),
    },
    start: async () => {
      activities.closeInterrupted();
      await ports.repositories.sweep();
      await recover(ports);
      loop.start();
      void runSleepLoop({ ports, sleeper, idle }, stopping.signal);
      void retention.run(stopping.signal);
    },
    stop: () => {
      stopping.abort();
      loop.stop();
    },
    backlog: () => ({ changesWaiting: queue.waiting, oldestUnsettledMs: loop.lag.oldestMs() }),
  };
}

function projectOf(ports: Ports, id: string): Project {
  const project = ports.store.projects.list().find((candidate) => candidate.id === id);
  if (!project) throw new CoppiceError('not-found', 'the project is gone');
  return project;
}
