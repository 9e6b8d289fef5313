import { CoppiceError } from '@coppice/model';

/** What `git push -o` may say. */
export interface PushOptions {
  readonly planOnly: boolean;
  readonly noWait: boolean;
  /** Name of the environment a new one stems from. */
  readonly parent: string | undefined;
  readonly clone: boolean;
  /** Nodes whose data the push lets go, into the trash. */
  readonly allowDestroy: ReadonlySet<string>;
}

const allowed = 'plan, no-wait, no-clone, parent=ENVIRONMENT, allow-destroy=NODE';

/** Parses push options; throws `invalid-request` for one that is unknown. */
export function parsePushOptions(options: readonly string[]): PushOptions {
  const allowDestroy = new Set<string>();
  const parsed = { planOnly: false, noWait: false, parent: undefined as string | undefined, clone: true, allowDestroy };
  for (const option of options) {
    const [name, value] = split(option);
    if (name === 'plan' && value === undefined) parsed.planOnly = true;
    else if (name === 'no-wait' && value === undefined) parsed.noWait = true;
    else if (name === 'no-clone' && value === undefined) parsed.clone = false;
    else if (name === 'parent' && value) parsed.parent = value;
    else if (name === 'allow-destroy' && value) allowDestroy.add(value);
    else throw new CoppiceError('invalid-request', `push option "${option}" is unknown`, { hint: `there are: ${allowed}` });
  }
  return parsed;
}

function split(option: string): readonly [string, string | undefined] {
  const at = option.indexOf('=');
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}
