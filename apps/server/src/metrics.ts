import type { Store } from '@coppice/state';

/** The Prometheus text of /metrics; names are listed in docs/reference/metrics.md. */
export function renderMetrics(store: Store): string {
  const { rss } = process.memoryUsage();
  const rows: readonly (readonly [string, string, number])[] = [
    ['coppice_process_resident_bytes', 'Resident memory of the server process', rss],
    ['coppice_projects', 'Projects', store.projects.list().length],
    ['coppice_environments', 'Environments', store.environments.list().length],
    ['coppice_activities_running', 'Activities that run now', store.activities.list({ state: 'running', limit: 1000 }).length],
    ['coppice_intents', 'Ref changes on their way', store.intents.list().length],
  ];
  return rows.map(([name, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`).join('');
}
