import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineAddress, engineAnswers } from './engine-socket.mjs';
import { hasProgram, runCommand } from './run-command.mjs';
import { SetupFailure } from './setup-failure.mjs';

const logFile = '/var/log/coppice-dockerd.log';
const pidFile = '/var/run/docker.pid';
const containerdPidFile = '/var/run/docker/containerd/containerd.pid';
const containerdSocket = '/run/containerd/containerd.sock';
const settingsFile = '/etc/docker/daemon.json';
/**
 * The daemon runs its own program three times for each container that starts, and that collects garbage while it initializes: 51 to 64 ms
 * of a processor with Go's 100, 31 to 38 ms with this. It costs the daemon up to 100 MB.
 */
const collectGarbageAt = '400';
const patienceMs = 60_000;
const pollMs = 200;

/** A container engine that answers. */
export const engineStep = {
  title: 'container engine',
  missing: async () => {
    const state = await engineAnswers();
    return state.kind === 'answers' ? [] : [`none answers on ${engineAddress().text} (${state.why})`];
  },
  provide: async () => {
    refuseWhatWeCannotStart(await engineAnswers());
    if (existsSync('/run/systemd/system')) {
      const result = await runCommand('systemctl', ['start', 'docker']);
      if (result !== 0) throw new SetupFailure(`systemctl start docker failed (${result})`, ['journalctl -u docker']);
      await untilItAnswers(() => undefined);
    } else {
      await startDaemon();
    }
  },
};

function refuseWhatWeCannotStart(state) {
  const { text, isDefault } = engineAddress();
  if (state.kind === 'forbidden')
    throw new SetupFailure(`you may not use the engine on ${text}`, ['run it as root, or join the group "docker"']);
  if (!isDefault) throw new SetupFailure(`no engine answers on DOCKER_HOST=${text}`, ['start that engine, or unset DOCKER_HOST']);
  if (process.getuid?.() !== 0) throw new SetupFailure('only root can start the engine; please run', ['sudo systemctl start docker']);
  if (!hasProgram('dockerd')) throw new SetupFailure('there is no container engine; please install Docker Engine 20.10 or newer', []);
}

/** In a session of its own, so that it outlives us and whoever called us. */
async function startDaemon() {
  const running = livePid(pidFile, 'dockerd');
  if (running !== undefined) return untilItAnswers(() => undefined);
  rmSync(pidFile, { force: true });
  // dockerd waits in vain for a containerd of its own that died with it, as long as its process number is known.
  if (livePid(containerdPidFile, 'containerd') === undefined) rmSync(containerdPidFile, { force: true });
  if (existsSync(containerdSocket) && !(await accepts(containerdSocket))) rmSync(containerdSocket);
  const log = openSync(logFile, 'a', 0o600);
  let ended;
  const env = { GOGC: collectGarbageAt, ...process.env };
  const child = spawn('dockerd', daemonArguments(), { detached: true, stdio: ['ignore', log, log], env });
  closeSync(log);
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended (${code ?? signal})`;
  });
  child.unref();
  return untilItAnswers(() => ended);
}

/** The daemon refuses to start when told twice. */
function daemonArguments() {
  const settled = existsSync(settingsFile) && readFileSync(settingsFile, 'utf8').includes('"live-restore"');
  return settled ? [] : ['--live-restore'];
}

/** The process that a pid file names, where it lives and has that name: after a reboot the number may be anybody's. */
function livePid(file, name) {
  if (!existsSync(file)) return undefined;
  const pid = readFileSync(file, 'utf8').trim();
  const stat = `/proc/${pid}/stat`;
  if (!/^[0-9]+$/.test(pid) || !existsSync(stat)) return undefined;
  // "Z": it was killed, and nobody has asked yet how it ended.
  return new RegExp(`^\\d+ \\(${name}\\) [^ZX]`).test(readFileSync(stat, 'utf8')) ? pid : undefined;
}

async function untilItAnswers(ended) {
  const deadline = Date.now() + patienceMs;
  while ((await engineAnswers()).kind !== 'answers') {
    const why = ended() ?? (Date.now() > deadline ? `it does not answer after ${patienceMs / 1000} s` : undefined);
    if (why !== undefined) throw new SetupFailure(`the container engine could not be started: ${why}`, lastLines());
    await sleep(pollMs);
  }
}

function lastLines() {
  if (!existsSync(logFile)) return ['journalctl -u docker'];
  return [`last lines of ${logFile}:`, ...readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8)];
}

function accepts(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
