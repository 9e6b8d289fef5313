import { CoppiceError } from '@coppice/model';
import type { ActivityView, ControlPlane } from '../control-plane.ts';
import { environmentNamed } from '../history/find.ts';
import { activityView } from '../history/views.ts';
import type { CommandParts } from './parts.ts';

type ActivityCommands = Pick<
  ControlPlane,
  'listActivities' | 'activityLog' | 'showActivity' | 'cancelActivity' | 'waitActivity' | 'events'
>;

/** What happens and happened. */
export function activityCommands(parts: CommandParts): ActivityCommands {
  const { ports, activities } = parts;
  const show = (id: string): ActivityView => {
    const view = activityView(ports.store, id);
    if (!view) throw new CoppiceError('not-found', `no activity is "${id}"`, { hint: 'list them: coppice activity list' });
    return view;
  };
  return {
    showActivity: show,
    listActivities: ({ project, environment, ...filter }) => {
      const named = environment !== undefined && project !== undefined ? environmentNamed(ports.store, project, environment) : undefined;
      const found = ports.store.activities.list({
        ...filter,
        ...(project === undefined ? {} : { project }),
        ...(named ? { environment: named.id } : {}),
      });
      return found.map((activity) => show(activity.id));
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
    events: async function* (signal) {
      for await (const id of activities.changes(signal)) yield show(id);
    },
  };
}
