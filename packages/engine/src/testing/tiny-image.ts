import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Digest, ImagePin } from '@coppice/model';
import { sha256 } from '@coppice/model';
import { pack } from 'tar-stream';
import { DockerConnection, unlessStatus } from '../docker/docker-connection.ts';

const applets = 'sh sleep nc httpd wget cat id yes ls dd echo env test tail head kill true false tr touch mkdir ps'.split(' ');
const tiny = 'coppice-test:tiny-1';
const spare = `coppice-test:spare-${process.pid}`;

/** An image of 2 MB with Debian's busybox-static and its own name, imported into the engine the first time it is asked for. */
export async function tinyImage(): Promise<ImagePin> {
  return await importedImage(tiny);
}

/** The same under a name of this process, so that its containers are this process's alone. */
export async function spareImage(): Promise<ImagePin> {
  return await importedImage(spare);
}

export async function removeSpareImage(): Promise<void> {
  const connection = new DockerConnection(process.env['DOCKER_HOST']);
  await unlessStatus([404], connection.json({ method: 'DELETE', path: `/images/${spare}` }));
  connection.close();
}

async function importedImage(reference: string): Promise<ImagePin> {
  const connection = new DockerConnection(process.env['DOCKER_HOST']);
  const find = (): Promise<{ readonly Id: string } | undefined> =>
    unlessStatus([404], connection.json<{ readonly Id: string }>({ method: 'GET', path: `/images/${reference}/json` }));
  if ((await find()) === undefined) await importImage(connection.socketPath, reference);
  const found = await find();
  connection.close();
  if (found === undefined) throw new Error(`${reference} was imported, but is not there`);
  return { manifest: sha256(reference), config: found.Id as Digest };
}

async function importImage(socketPath: string, reference: string): Promise<void> {
  const archive = pack();
  for (const name of ['bin', 'tmp', 'data', 'proc', 'sys', 'dev', 'etc']) archive.entry({ name, type: 'directory', mode: 0o755 });
  archive.entry({ name: 'etc/motd' }, reference);
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile('/bin/busybox'));
  for (const applet of applets) archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
  archive.finalize();
  const [repo, tag] = reference.split(':');
  await new Promise<void>((resolve, reject) => {
    const call = request({ socketPath, method: 'POST', path: `/images/create?fromSrc=-&repo=${repo}&tag=${tag}` }, (response) => {
      text(response).then((answer) => (response.statusCode === 200 ? resolve() : reject(new Error(answer))), reject);
    });
    call.on('error', reject);
    archive.pipe(call);
  });
}
