import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CoppiceError, type Digest } from '@coppice/model';
import { type Pack, pack as tarPack } from 'tar-stream';
import { compareBytes } from '../layer/byte-order.ts';
import { earliestTimeSeconds } from '../layer/content-time.ts';

type TarHeader = Parameters<Pack['entry']>[0];

const streamedFromBytes = 256 * 1024;
const fixedTime = new Date(earliestTimeSeconds * 1000);

export interface RootContent {
  /** Folder whose content is the layer's. */
  readonly folder: string;
  /** Where the content appears: relative, no leading or trailing slash; empty for the root. */
  readonly prefix: string;
  /** Paths below the folder that do not belong. A folder that does not belong hides what is in it. */
  readonly isKept: (path: string) => boolean;
  /** Paths of lower layers that this one removes. */
  readonly removed: readonly string[];
  /**
   * When making the content began, in seconds since 1970. Times since then become 1980, so that nothing tells when it was built;
   * earlier ones are those inside packages and stay, since compiled Python code is only used beside a source of the time it names.
   */
  readonly beganSeconds: number;
}

/**
 * Writes a folder as an uncompressed tar: names sorted by bytes, numeric owners, hard links kept, sockets and devices left out.
 * The same content gives the same bytes.
 */
export async function writeRootLayer(content: RootContent, file: string): Promise<{ readonly digest: Digest; readonly size: number }> {
  const pack = tarPack();
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const written = pipeline(pack, meter, createWriteStream(file));
  // Whichever of the two fails first is reported; the other one is ended with it.
  await Promise.all([written, writeEntries(pack, content).catch((error: Error) => pack.destroy(error))]);
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

async function writeEntries(pack: Pack, content: RootContent): Promise<void> {
  const whiteouts = Map.groupBy(content.removed, (path) => (path.includes('/') ? dirname(path) : ''));
  const hardLinks = new Map<number, string>();
  const time = (seconds: number) => (seconds >= content.beganSeconds ? fixedTime : new Date(Math.floor(seconds) * 1000));
  const named = (path: string) => (content.prefix === '' ? path : path === '' ? content.prefix : `${content.prefix}/${path}`);

  for (const parent of parentsOf(content.prefix)) await writeEntry(pack, { name: `${parent}/`, type: 'directory', ...rootOwned(0o755) });

  const visit = async (folder: string): Promise<void> => {
    for (const path of whiteouts.get(folder) ?? []) {
      await writeEntry(pack, {
        name: named(join(dirname(path), `.wh.${basename(path)}`)),
        type: 'file',
        size: 0,
        ...rootOwned(0o600),
      });
    }
    const names = await readdir(join(content.folder, folder));
    for (const name of names.sort(compareBytes)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (!content.isKept(path)) continue;
      const source = join(content.folder, path);
      const stats = await lstat(source);
      const header = { name: named(path), mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, mtime: time(stats.mtimeMs / 1000) };
      if (stats.isDirectory()) {
        await writeEntry(pack, { ...header, name: `${header.name}/`, type: 'directory' });
        await visit(path);
      } else if (stats.isSymbolicLink()) {
        await writeEntry(pack, { ...header, type: 'symlink', linkname: await readlink(source) });
      } else if (stats.isFile()) {
        const first = stats.nlink > 1 ? hardLinks.get(stats.ino) : undefined;
        if (first !== undefined) await writeEntry(pack, { ...header, type: 'link', linkname: first });
        else await writeFileEntry(pack, { ...header, type: 'file', size: stats.size }, source, stats);
        if (stats.nlink > 1 && first === undefined) hardLinks.set(stats.ino, header.name);
      }
    }
  };
  await visit('');
  pack.finalize();
}

function parentsOf(prefix: string): readonly string[] {
  const parts = prefix.split('/').filter((part) => part !== '');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function rootOwned(mode: number): Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'mtime'> {
  return { mode, uid: 0, gid: 0, mtime: fixedTime };
}

function writeEntry(pack: Pack, header: TarHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header, Buffer.alloc(0), (error) => (error ? reject(error) : resolve()));
  });
}

async function writeFileEntry(pack: Pack, header: TarHeader, source: string, stats: Stats): Promise<void> {
  const small = stats.size < streamedFromBytes ? await readFile(source) : undefined;
  await new Promise<void>((resolve, reject) => {
    const entry = pack.entry(header, (error) =>
      error ? reject(new CoppiceError('base-failed', `packing ${source}`, { cause: error })) : resolve(),
    );
    if (small !== undefined) entry.end(small);
    else createReadStream(source).on('error', reject).pipe(entry);
  });
}
