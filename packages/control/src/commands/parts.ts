import type { ActivityRecorder } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import type { Brancher } from '../data/brancher.ts';
import type { DataChanger } from '../data/data-changer.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import type { GarbageCollector } from '../data/garbage-collector.ts';
import type { HealthMonitor } from '../environment/health-monitor.ts';
import type { Redeployer } from '../environment/redeployer.ts';
import type { Remover } from '../environment/remover.ts';
import type { RestartBackoff } from '../environment/restart-backoff.ts';
import type { Sleeper } from '../environment/sleeper.ts';
import type { Ports } from '../ports.ts';
import type { PlanPreview } from '../push/plan-preview.ts';
import type { PartChecks } from './part-checks.ts';

/** What the commands are made over. */
export interface CommandParts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly health: HealthMonitor;
  readonly backoff: RestartBackoff;
  readonly preview: PlanPreview;
  readonly redeployer: Redeployer;
  readonly remover: Remover;
  readonly sleeper: Sleeper;
  readonly checks: PartChecks;
  readonly brancher: Brancher;
  readonly changer: DataChanger;
  readonly keeper: DataKeeper;
  readonly garbage: GarbageCollector;
}
