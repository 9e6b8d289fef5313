import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The one hook, under two names. It only carries words between receive-pack and the server, over descriptor 3, which it inherits and
 * which goes both ways. Its end means that the server is gone: refuse. Almost all is built into the shell, as a process costs a
 * millisecond. From the server come lines: `say TEXT` for the client's eyes, `out BYTES` for git (without the newline), and a verdict.
 */
export const hookScript = `#!/bin/sh
# Written by Coppice.
announce() {
  printf '%s\\000' "GIT_QUARANTINE_PATH=$GIT_QUARANTINE_PATH" "GIT_OBJECT_DIRECTORY=$GIT_OBJECT_DIRECTORY" \
    "GIT_ALTERNATE_OBJECT_DIRECTORIES=$GIT_ALTERNATE_OBJECT_DIRECTORIES" "GIT_PUSH_OPTION_COUNT=$GIT_PUSH_OPTION_COUNT" || exit 1
  index=0
  while [ "$index" -lt "\${GIT_PUSH_OPTION_COUNT:-0}" ]; do
    eval "printf '%s\\000' \\"GIT_PUSH_OPTION_$index=\\$GIT_PUSH_OPTION_$index\\"" || exit 1
    index=$((index + 1))
  done
  printf '\\000' || exit 1
  while IFS= read -r line || [ -n "$line" ]; do
    printf '%s\\n' "$line" || exit 1
  done
  echo
}
name=\${0##*/}
echo "$name" >&3 || exit 1
case $name in
pre-receive) announce >&3 || exit 1 ;;
proc-receive)
  exec 4<&0
  cat <&4 >&3 &
  exec 4<&-
  ;;
esac
while IFS= read -r line <&3; do
  case $line in
  'say '*) printf '%s\\n' "\${line#say }" >&2 ;;
  'out '*) printf '%s' "\${line#out }" ;;
  accept) exit 0 ;;
  *) exit 1 ;;
  esac
done
exit 1
`;

/** Writes the hooks where git finds them; replaces others, also under a push that runs. Those that are there already need no room on the disk. */
export async function writeHooks(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  for (const name of ['pre-receive', 'proc-receive']) {
    const path = join(directory, name);
    if ((await textOf(path)) === hookScript) continue;
    const draft = `${path}.new`;
    await writeFile(draft, hookScript, { mode: 0o755 });
    await rename(draft, path);
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
