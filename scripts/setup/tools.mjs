import { existsSync, readFileSync } from 'node:fs';
import { engineAnswers } from './engine-socket.mjs';
import { hasProgram, runCommand } from './run-command.mjs';
import { SetupFailure } from './setup-failure.mjs';

/** Debian's packages, and how we see that what they bring is there. */
const tools = [
  { name: 'docker.io', present: async () => hasProgram('dockerd') || (await engineAnswers()).kind === 'answers' },
  { name: 'iptables', present: async () => hasProgram('iptables') },
  { name: 'nftables', present: async () => hasProgram('nft') },
  { name: 'haproxy', present: async () => hasProgram('haproxy') },
  { name: 'mmdebstrap', present: async () => hasProgram('mmdebstrap') },
  { name: 'btrfs-progs', present: async () => hasProgram('btrfs') && hasProgram('mkfs.btrfs') },
  { name: 'git', present: async () => hasProgram('git') },
  { name: 'ca-certificates', present: async () => existsSync('/etc/ssl/certs') && existsSync('/usr/share/ca-certificates') },
  // Tests make their smallest images of it.
  { name: 'busybox-static', present: async () => existsSync('/bin/busybox') },
  // Where the kernel enforces AppArmor the engine starts no container without its parser.
  { name: 'apparmor', present: async () => !appArmorEnforced() || hasProgram('apparmor_parser') },
];

const aptOptions = ['-o', 'DPkg::Lock::Timeout=120', '-q'];

/** The programs of the host that Coppice runs. */
export const toolsStep = stepOf('host tools', tools);

/** What `npm run bench` asks the router with. */
export const benchToolsStep = stepOf('tools of the benchmark', [{ name: 'wrk', present: async () => hasProgram('wrk') }]);

function stepOf(title, wanted) {
  return {
    title,
    missing: async () => {
      const names = [];
      for (const tool of wanted) if (!(await tool.present())) names.push(tool.name);
      return names;
    },
    provide,
  };
}

async function provide(names) {
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`;
  if (!hasProgram('apt-get')) {
    throw new SetupFailure('this is not Debian or Ubuntu; please install what these packages of Debian hold, then run it again', names);
  }
  if (process.getuid?.() !== 0) throw new SetupFailure('only root can install what is missing; please run', [`sudo ${command}`]);
  await updateLists();
  const result = await apt(['install', '--yes', '--no-install-recommends', ...names]);
  if (result !== 0) throw new SetupFailure(`apt-get failed (${result}); when its cause is gone, run`, [command]);
}

async function updateLists() {
  const first = await apt(['update']);
  // Mirrors that are just being synchronised fail once.
  if (first !== 0 && (await apt(['update'])) !== 0)
    throw new SetupFailure('apt-get update failed twice', ['see its output above; is a mirror reachable?']);
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return runCommand('apt-get', [...aptOptions, ...args], { env });
}

function appArmorEnforced() {
  const path = '/sys/module/apparmor/parameters/enabled';
  return existsSync(path) && readFileSync(path, 'utf8').trim() === 'Y';
}
