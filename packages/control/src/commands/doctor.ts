import type { EngineInfo } from '@coppice/engine';
import { describeDriver, type VolumeDriver } from '@coppice/volumes';
import type { DoctorCheck } from '../control-plane.ts';
import type { Part } from './part-checks.ts';
import type { CommandParts } from './parts.ts';

/** Known holes of engines, by the first version without them; Coppice does not use what they concern, but people may. */
const engineHoles: readonly { readonly fixedIn: readonly [number, number, number]; readonly what: string }[] = [
  { fixedIn: [29, 5, 1], what: '`docker cp` into a container may run its programs on the host' },
];

const fixes: Readonly<Record<Part, string>> = {
  engine: 'start the container engine: npm run setup, or systemctl start docker',
  router: 'the server starts it again by itself; its log is in DIR/router',
  volumes: 'check that DIR/volumes is there and writable',
  state: 'check the disk that holds DIR',
  loop: 'the server is starting or stopping; its log says what it does',
};

/** Every check of the machine, with what to do where it fails. */
export async function doctorChecks({ ports, checks }: Pick<CommandParts, 'ports' | 'checks'>): Promise<readonly DoctorCheck[]> {
  const health = await checks.wrong();
  const parts = (Object.keys(fixes) as Part[]).map((part): DoctorCheck => {
    const wrong = health[part];
    return { check: part, ok: wrong === undefined, detail: wrong ?? 'answers', fix: wrong === undefined ? '' : fixes[part] };
  });
  const engine = health.engine === undefined ? engineChecks(await ports.engine.probe()) : [];
  return [...parts, ...engine, volumeDriverCheck(ports.volumes.driver)];
}

/** Plain folders are no fault: all works, only dearer. */
function volumeDriverCheck(driver: VolumeDriver): DoctorCheck {
  const lacks = driver.lacks ?? [];
  const detail = [describeDriver(driver), ...lacks.map(({ message }) => message)].join('; ');
  return { check: 'volume driver', ok: true, detail, fix: lacks.map(({ hint }) => hint).join('; ') };
}

function engineChecks(info: EngineInfo): readonly DoctorCheck[] {
  const live = info.capabilities.liveRestore;
  const holes = engineHoles.filter((hole) => isOlder(info.version, hole.fixedIn));
  return [
    {
      check: 'live-restore',
      ok: live,
      detail: live ? 'applications go on while the engine is restarted' : 'applications stop when the engine is restarted',
      fix: live ? '' : 'set "live-restore": true in /etc/docker/daemon.json and reload the engine',
    },
    {
      check: 'engine version',
      ok: true,
      detail: [`${info.name} ${info.version}`, ...holes.map((hole) => `known hole: ${hole.what}`)].join('; '),
      fix: holes.length === 0 ? '' : `fixed in ${holes.map((hole) => hole.fixedIn.join('.')).join(', ')}; until then keep people from it`,
    },
  ];
}

function isOlder(version: string, than: readonly [number, number, number]): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[^0-9]+/).map(Number);
  const difference = major - than[0] || minor - than[1] || patch - than[2];
  return difference < 0;
}
