import { CoppiceError } from '@coppice/model';
import type { SecretPlace } from '../layer/refuse-secrets.ts';
import { cleanLine, redactOutput } from './step-output.ts';
import { type NumberedStep, stepTitle } from './step-runner.ts';

const places: Readonly<Record<SecretPlace['what'], string>> = {
  name: 'into the name of',
  target: 'into the target of',
  content: 'into',
};
const hint = `take it out of that file, or delete it in the same step. Tools read the settings for proxies and registries from their variables \
(HTTPS_PROXY, npm_config_registry, PIP_INDEX_URL), and what they must write down belongs below /tmp`;

/** The failure of a step in whose layer one of `secrets` was found: names the step and the file, never the secret. */
export function secretInLayer(step: NumberedStep, { what, path }: SecretPlace, secrets: readonly string[]): CoppiceError {
  const file = redactOutput(cleanLine(`/${path}`), secrets);
  const message = `${redactOutput(stepTitle(step), secrets)} wrote a secret that the server gave it ${places[what]} ${file}`;
  return new CoppiceError('build-failed', `${message}; nothing of this step was kept`, { hint });
}
