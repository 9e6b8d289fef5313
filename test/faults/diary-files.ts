import type { FileTexts } from '../e2e/harness/clone.ts';
import { tinyApp } from '../e2e/harness/tiny-app.ts';

/** What of a diary's files changes. */
export interface DiaryLook {
  readonly answer: string;
  /** The node that keeps the entries, and the one that its data comes from. */
  readonly node: string;
  readonly movedFrom: string | undefined;
  /** Whether there is a second node with data of its own, `extra`. */
  readonly extra: boolean;
  /** Instead of serving, it writes this entry and ends. */
  readonly spoils: string | undefined;
}

/** What of them stays as it is. */
export interface DiaryKind {
  /** Whether copies of it are sanitised: every entry becomes `scrubbed`. */
  readonly sanitized?: boolean;
  /** Whether there is a PostgreSQL, `db`. */
  readonly database?: boolean;
}

export const plainDiary: DiaryLook = { answer: 'one', node: 'web', movedFrom: undefined, extra: false, spoils: undefined };

/** The mounts that hold the entries, in the order in which one comes into them. */
export const entryPlaces = ['kept', 'own'] as const;

/** The files of a diary that looks so. */
export function diaryFiles(
  { answer, node, movedFrom, extra, spoils }: DiaryLook,
  { sanitized = false, database = false }: DiaryKind,
): FileTexts {
  const services = [...(extra ? ['  extra: { type: redis:7 }'] : []), ...(database ? ['  db: { type: "postgresql:17" }'] : [])];
  const yaml = [
    'applications:',
    `  ${node}:`,
    '    type: nodejs:24',
    `    start: ${spoils === undefined ? 'node server.mjs' : spoiling(spoils)}`,
    '    mounts: { kept: storage, own: instance }',
    ...(movedFrom === undefined ? [] : [`    moved: { from: ${movedFrom} }`]),
    ...(database ? ['    relationships: [db]'] : []),
    ...(services.length === 0 ? [] : ['services:', ...services]),
    ...(sanitized ? [`data: { sanitize: { node: ${node}, run: node scrub.mjs } }`] : []),
  ];
  const app = tinyApp({ yaml: `${yaml.join('\n')}\n`, before: store, paths: { '/': posted(answer), '/entries': listed } });
  return { ...app, 'scrub.mjs': scrub };
}

const spoiling = (entry: string): string => `sh -c "${entryPlaces.map((place) => `echo ${entry} >> ${place}/entries`).join('; ')}; exit 1"`;

const posted = (answer: string): string => `const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method === 'POST') await inTurn(() => note(Buffer.concat(chunks)));
    response.end(${JSON.stringify(answer)});`;

const listed = `response.end(JSON.stringify(await inTurn(async () => [await read(places[0]), await read(places[1])])));`;

/** Each entry is on disk in one file before it comes into the other, and in both before it is acknowledged. */
const store = `import { open, readFile } from 'node:fs/promises';
const places = ${JSON.stringify(entryPlaces.map((place) => `${place}/entries`))};
const read = async (place) => (await readFile(place, 'utf8').catch(() => '')).split('\\n').slice(0, -1);
const append = async (place, entry) => {
  const file = await open(place, 'a');
  await file.write(entry + '\\n');
  await file.sync();
  await file.close();
};
const note = async (entry) => { for (const place of places) await append(place, entry); };
let last = Promise.resolve();
const inTurn = (work) => (last = last.catch(() => undefined).then(work));
// As after a power cut: what came into the first only.
const [kept, own] = [await read(places[0]), await read(places[1])];
if (kept.length > own.length) await append(places[1], kept.at(-1));`;

const scrub = `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
for (const place of ${JSON.stringify(entryPlaces)}) {
  const file = place + '/entries';
  if (existsSync(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(/.+/g, 'scrubbed'));
}
`;
