import { CoppiceError } from '@coppice/model';

/** Reads back a value that we stored as canonical JSON. Throws `state-failed` where the text is no JSON any more. */
export function parseStored<Value>(json: string): Value {
  try {
    return JSON.parse(json) as Value;
  } catch (error) {
    throw new CoppiceError('state-failed', 'the state database holds a value that is not JSON: it is damaged', {
      cause: error,
      hint: 'restore a backup of the directory',
    });
  }
}
