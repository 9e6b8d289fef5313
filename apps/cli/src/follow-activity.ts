import type { ActivityView } from '@coppice/control';
import { CoppiceError, plainText } from '@coppice/model';
import yoctoSpinner from 'yocto-spinner';
import type { Session } from './session.ts';

/**
 * Shows an activity's log until it ends: with a spinner on a terminal, plain lines elsewhere, both on standard error. Throws where it
 * failed or was cancelled.
 */
export async function followActivity(session: Session, id: string): Promise<ActivityView> {
  const spinner = process.stderr.isTTY ? yoctoSpinner({ text: 'working' }).start() : undefined;
  let last = '';
  for await (const line of session.api.events<string>(`/activities/${id}/log`, { follow: 'true' })) {
    last = plainText(line);
    if (spinner) {
      spinner.clear();
      spinner.text = last;
    }
    process.stderr.write(`${last}\n`);
  }
  spinner?.stop();
  const activity = await session.api.get<ActivityView>(`/activities/${id}`);
  if (activity.state !== 'succeeded')
    throw new CoppiceError(activity.state === 'cancelled' ? 'cancelled' : 'conflict', last === '' ? `it ${activity.state}` : last);
  return activity;
}
