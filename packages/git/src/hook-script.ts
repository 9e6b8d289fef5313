import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The one hook, under two names. It only carries bytes between receive-pack and the server, over descriptors it inherits:
 * 3 goes both ways, 4 brings progress while deploying. The end of 3 means that the server is gone: refuse.
 */
export const hookScript = `#!/bin/sh
# Written by Coppice at each start.
case \${0##*/} in
pre-receive)
  { echo pre-receive && env -0 && printf '\\000' && cat && echo; } >&3 || exit 1
  while IFS= read -r line <&3; do
    case $line in
    accept) exit 0 ;;
    refuse) exit 1 ;;
    'say '*) printf '%s\\n' "\${line#say }" >&2 ;;
    *) exit 1 ;;
    esac
  done
  exit 1
  ;;
proc-receive)
  echo proc-receive >&3 || exit 1
  cat <&4 >&2 &
  cat <&3 &
  exec cat >&3
  ;;
esac
exit 1
`;

/** Writes the hooks where git finds them; replaces what is there, also under a push that runs. */
export async function writeHooks(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  for (const name of ['pre-receive', 'proc-receive']) {
    const draft = join(directory, `${name}.new`);
    await writeFile(draft, hookScript, { mode: 0o755 });
    await rename(draft, join(directory, name));
  }
}
