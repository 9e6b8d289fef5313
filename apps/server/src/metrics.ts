import { type Backlog, BoundedAsk } from '@coppice/control';
import type { LocalImageBuilder } from '@coppice/images';
import type { Router } from '@coppice/router';
import type { Store } from '@coppice/state';
import type { ControlMetrics } from './metrics/control-metrics.ts';
import { diskUsage } from './metrics/disk-usage.ts';
import { watchEventLoopDelay } from './metrics/event-loop-delay.ts';
import { type Family, formatFamilies, type Sample } from './metrics/family.ts';

/** What is asked when somebody wants the metrics; nothing of it is asked at any other time. */
export interface MetricSources {
  readonly store: Store;
  readonly router: Pick<Router, 'usage'>;
  readonly builds: Pick<LocalImageBuilder, 'load'>;
  readonly backlog: () => Backlog;
  readonly control: ControlMetrics;
  /** The data directory. */
  readonly directory: string;
}

const routerLimitMs = 1_000;

/** Answers how to write the text of /metrics; the names are listed in docs/reference/metrics.md. What does not answer in time has no value. */
export function openMetrics(sources: MetricSources): () => Promise<string> {
  const usage = new BoundedAsk(() => sources.router.usage(), routerLimitMs);
  const eventLoopDelay = watchEventLoopDelay();
  return async () => {
    const [requests, { stateBytes, freeBytes }] = await Promise.all([usage.outcome(), diskUsage(sources.directory)]);
    const used = requests.kind === 'answered' ? [...requests.answer.values()] : undefined;
    const { changesWaiting, oldestUnsettledMs } = sources.backlog();
    const builds = sources.builds.load();
    const { store } = sources;
    const cpu = process.cpuUsage();
    return formatFamilies([
      gauge('coppice_projects', 'Projects', store.projects.list().length),
      gauge('coppice_environments', 'Environments', store.environments.list().length),
      gauge('coppice_activities_running', 'Activities that run now', store.activities.list({ state: 'running', limit: 1000 }).length),
      gauge('coppice_intents', 'Ref changes on their way', store.intents.list().length),
      gauge('coppice_changes_waiting', 'Changes that wait for others of their branch', changesWaiting),
      gauge('coppice_builds_running', 'Builds that run now', builds.running),
      gauge('coppice_builds_waiting', 'Builds that wait for their turn', builds.waiting),
      gauge(
        'coppice_oldest_unsettled_seconds',
        'Since the oldest look that has not seen its environment as desired',
        oldestUnsettledMs / 1000,
      ),
      ...sources.control.families(),
      gauge('coppice_requests_open', 'Requests that are open at the router', used && sum(used.map(({ open }) => open))),
      gauge('coppice_requests_held', 'Requests that the router holds', used && sum(used.map(({ held }) => held))),
      gauge('coppice_process_resident_bytes', 'Resident memory of the server process', process.memoryUsage.rss()),
      {
        name: 'coppice_process_cpu_seconds_total',
        help: 'Processor time of the server process',
        type: 'counter',
        samples: [{ value: (cpu.user + cpu.system) / 1e6 }],
      },
      {
        name: 'coppice_event_loop_delay_seconds',
        help: 'How late the event loop was since it was last asked',
        type: 'gauge',
        samples: eventLoopDelay(),
      },
      gauge('coppice_state_bytes', 'Size of the database', stateBytes),
      gauge('coppice_disk_free_bytes', 'Free space where the data directory lies', freeBytes),
    ]);
  };
}

function gauge(name: Family['name'], help: string, value: number | undefined): Family {
  const samples: readonly Sample[] = value === undefined ? [] : [{ value }];
  return { name, help, type: 'gauge', samples };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
