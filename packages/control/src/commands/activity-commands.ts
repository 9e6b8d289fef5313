import { CoppiceError } from '@coppice/model';
import type { ActivityView, ControlPlane } from '../control-plane.ts';
import { environmentNamed } from '../history/find.ts';
import { activityView } from '../history/views.ts';
import type { Ports } from '../ports.ts';
import type { CommandParts } from './parts.ts';

type ActivityCommands = Pick<
  ControlPlane,
  'listActivities' | 'activityLog' | 'showActivity' | 'cancelActivity' | 'waitActivity' | 'events'
>;

/** What these commands need. */
type ActivityParts = Pick<CommandParts, 'activities'> & { readonly ports: Pick<Ports, 'store' | 'log'> };

/** What happens and happened. */
export function activityCommands(parts: ActivityParts): ActivityCommands {
  const { ports, activities } = parts;
  const show = (id: string): ActivityView => {
    const activity = ports.store.activities.get(id);
    if (!activity) throw new CoppiceError('not-found', `no activity is "${id}"`, { hint: 'list them: coppice activity list' });
    return activityView(ports.store, activity);
  };
  return {
    showActivity: show,
    listActivities: ({ project, environment, limit, ...filter }) => {
      const named = environment !== undefined && project !== undefined ? environmentNamed(ports.store, project, environment) : undefined;
      const found = ports.store.activities.list({
        ...filter,
        ...(project === undefined ? {} : { project }),
        ...(named ? { environment: named.id } : {}),
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const next = found.length > limit ? (page.at(-1)?.sequence ?? null) : null;
      return { items: page.map((activity) => activityView(ports.store, activity)), next };
    },
    activityLog: (id, options) => activities.log(id, options),
    cancelActivity: async (id, actor) => {
      if (show(id).state !== 'running') throw new CoppiceError('conflict', `the activity ${id} has ended already`);
      if (!activities.cancel(id)) throw new CoppiceError('conflict', `the activity ${id} does not run on this server`);
      ports.log('activity.cancelled', { activity: id, actor });
    },
    waitActivity: async (id) => {
      await activities.ended(id);
      return show(id);
    },
    events: async function* ({ after, signal }) {
      for await (const activity of activities.changes({ after, signal })) yield activityView(ports.store, activity);
    },
  };
}
