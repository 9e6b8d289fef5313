/** What git's behaviour depends on besides its arguments: all of it, so that nothing of the host or of a repository's file decides. */
export interface GitSettings {
  readonly hooksDirectory: string;
  /** Names the processes of one data directory, so that orphans of a killed server can be told. */
  readonly directory: string;
  /** The largest pack a push may bring. */
  readonly maxPackBytes: number;
}

/** Variable that marks every git process with the directory it works for. */
export const directoryMark = 'COPPICE_GIT_DIRECTORY';

/** The whole environment of a git process; nothing is inherited from ours. */
export function gitEnvironment(settings: GitSettings): Readonly<Record<string, string>> {
  const configuration = Object.entries(fixedConfiguration(settings));
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_COMMITTER_NAME: 'Coppice',
    GIT_COMMITTER_EMAIL: 'coppice@localhost',
    GIT_AUTHOR_NAME: 'Coppice',
    GIT_AUTHOR_EMAIL: 'coppice@localhost',
    [directoryMark]: settings.directory,
    GIT_CONFIG_COUNT: `${configuration.length}`,
    ...Object.fromEntries(
      configuration.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Configuration given by environment wins over the repository's file. */
function fixedConfiguration(settings: GitSettings): Readonly<Record<string, string>> {
  return {
    'core.hooksPath': settings.hooksDirectory,
    'core.attributesFile': '/dev/null',
    'core.fsmonitor': 'false',
    // an acknowledged push must outlive a power cut
    'core.fsync': 'committed,loose-object',
    'core.fsyncMethod': 'batch',
    'core.filesRefLockTimeout': '2000',
    // the limit on address space covers mapped packs: map them in windows, stream large blobs
    'core.packedGitWindowSize': '32m',
    'core.packedGitLimit': '512m',
    'core.bigFileThreshold': '16m',
    'pack.windowMemory': '128m',
    'pack.threads': '2',
    'protocol.allow': 'never',
    'transfer.fsckObjects': 'true',
    'receive.procReceiveRefs': 'refs/heads',
    'receive.advertisePushOptions': 'true',
    // each branch deploys by itself: what cannot be taken back as one is not promised
    'receive.advertiseAtomic': 'false',
    'receive.denyNonFastForwards': 'false',
    'receive.denyDeletes': 'false',
    'receive.denyCurrentBranch': 'ignore',
    'receive.denyDeleteCurrent': 'ignore',
    'receive.maxInputSize': `${settings.maxPackBytes}`,
    'receive.autogc': 'false',
    'maintenance.auto': 'false',
    'gc.auto': '0',
  };
}
