// Folders that stay, without what is in them: what the machine that built left behind, and what no container reads.
const emptied = [
  'dev',
  'etc/apt/sources.list.d',
  'proc',
  'run',
  'sys',
  'tmp',
  'usr/share/i18n',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/locale',
  'usr/share/man',
  'var/cache',
  'var/lib/apt',
  'var/log',
  'var/tmp',
];
const dropped: ReadonlySet<string> = new Set([
  '.dockerenv',
  'etc/.pwd.lock',
  // How the machine that built reaches its mirrors, which may hold credentials of proxies.
  'etc/apt/apt.conf.d/99mmdebstrap',
  'etc/apt/sources.list',
  'etc/group-',
  'etc/gshadow-',
  'etc/hostname',
  'etc/machine-id',
  'etc/passwd-',
  'etc/resolv.conf',
  'etc/shadow-',
  'etc/subgid-',
  'etc/subuid-',
  'var/lib/dbus/machine-id',
  'var/lib/dpkg/lock',
  'var/lib/dpkg/lock-frontend',
  'var/lib/dpkg/status-old',
  'var/lib/systemd/catalog/database',
]);

/** Whether a path of a root file system (relative, no leading slash) belongs into a layer. */
export function isKept(path: string): boolean {
  return !dropped.has(path) && !emptied.some((folder) => path.startsWith(`${folder}/`));
}
