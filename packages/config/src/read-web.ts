import type { WebLocation, WebServing } from '@coppice/model';
import { durationMs } from './amounts.ts';
import { type Cursor, child, entries, keyAt, scalarText, valueAt } from './cursor.ts';
import { insidePath } from './inside-path.ts';
import { quote } from './quote.ts';
import type { RawAmount, RawApplication, RawLocation, RawRule, RawScalar } from './raw-file.ts';
import type { Report } from './report.ts';

/** The type whose locations are acted on in this release. */
const staticType = 'static';

/** `web` after defaults. `typeName` decides whether locations are acted on; a static application has one at `/` where it names none. */
export function readWeb(application: Cursor<RawApplication>, typeName: string | undefined, report: Report): WebServing {
  const web = child(application, 'web');
  const cursor = web && child(web, 'locations');
  const isStatic = typeName === staticType;
  if (cursor !== undefined && !isStatic && typeName !== undefined && Object.keys(cursor.value).length > 0) {
    report.inactive(keyAt(cursor), `web.locations of ${application.name} is not acted on yet`);
  }
  const locations: Record<string, WebLocation> = {};
  const index = isStatic ? ['index.html'] : [];
  for (const location of entries(cursor)) locations[location.name] = readLocation(location, { index, report });
  if (isStatic && cursor === undefined) locations['/'] = { ...emptyLocation, root: '.', index };
  return { enabled: web?.value.enabled ?? true, protocol: 'http', locations };
}

const emptyLocation: WebLocation = {
  root: undefined,
  index: [],
  passthru: false,
  expiresSeconds: -1,
  allow: true,
  headers: {},
  rules: {},
};

interface LocationContext {
  /** What answers for a folder where the location does not say. */
  readonly index: readonly string[];
  readonly report: Report;
}

function readLocation(location: Cursor<RawLocation>, { index, report }: LocationContext): WebLocation {
  const root = child(location, 'root');
  const rootPath = root && insidePath(root.value);
  if (root !== undefined && rootPath === undefined) {
    const message = `root: ${quote(root.value)} is no folder below the application's`;
    report.error({ code: 'invalid-path', at: valueAt(root), message, hint: 'write a relative path without ".."' });
  }
  const rules: Record<string, ReturnType<typeof readRule>> = {};
  for (const rule of entries(child(location, 'rules'))) rules[rule.name] = readRule(rule);
  return { ...emptyLocation, ...readRule(location), root: rootPath, index: location.value.index ?? index, rules };
}

function readRule(rule: Cursor<RawRule>): Partial<Omit<WebLocation, 'rules' | 'root' | 'index'>> {
  const { passthru, expires, allow } = rule.value;
  const headers = child(rule, 'headers');
  return {
    ...(passthru === undefined ? {} : { passthru }),
    ...(expires === undefined ? {} : { expiresSeconds: expiresSeconds(expires) }),
    ...(allow === undefined ? {} : { allow }),
    ...(headers === undefined ? {} : { headers: readHeaders(headers) }),
  };
}

/** Whole seconds of an `expires`; -1 where nothing is to be said. */
function expiresSeconds(raw: RawAmount): number {
  return raw === '-1' || raw === -1 ? -1 : Math.floor(durationMs(raw) / 1000);
}

/** Headers as text by name. */
export function readHeaders(cursor: Cursor<Readonly<Record<string, RawScalar>>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(entries(cursor).map((header) => [header.name, scalarText(header)]));
}
