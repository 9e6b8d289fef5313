import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, RunningActivity } from '../activity-recorder.ts';

export interface RepairStart {
  readonly activities: ActivityRecorder;
  readonly environment: EnvironmentRecord;
  /** What was wrong. */
  readonly cause: string;
  readonly signal: AbortSignal;
}

/** Repairs as an activity that says what was wrong, and how repairing failed. Throws what `work` throws. */
export async function recordedRepair(start: RepairStart, work: (activity: RunningActivity) => Promise<void>): Promise<void> {
  const { activities, environment, cause, signal } = start;
  const { id, project } = environment;
  const activity = activities.start({ kind: 'repair', project, environment: id, actor: 'coppice', cause, signal });
  try {
    await work(activity);
    activity.finish('succeeded');
  } catch (error) {
    activity.say(error instanceof Error ? error.message : String(error));
    activity.finish('failed', error);
    throw error;
  }
}
