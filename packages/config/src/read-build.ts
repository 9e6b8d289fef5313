import type { BuildStep } from '@coppice/model';
import { type Cursor, child, items, narrowed } from './cursor.ts';
import { insidePath } from './inside-path.ts';
import { quote } from './quote.ts';
import type { RawApplication, RawBuild, RawBuildStep } from './raw-file.ts';
import type { Report } from './report.ts';

/** The steps of `build`; undefined where it is not given, which means the type's own steps. */
export function readBuild(application: Cursor<RawApplication>, report: Report): readonly BuildStep[] | undefined {
  const build = child(application, 'build');
  return build && readSteps(build, report);
}

function readSteps(build: Cursor<RawBuild>, report: Report): readonly BuildStep[] | undefined {
  if (typeof build.value === 'string') return [{ run: build.value, inputs: undefined }];
  if (!Array.isArray(build.value)) return undefined;
  return items(narrowed(build, build.value as readonly RawBuildStep[])).map((step) => {
    if (typeof step.value === 'string') return { run: step.value, inputs: undefined };
    const inputs = child(narrowed(step, step.value), 'inputs');
    return { run: step.value.run, inputs: inputs && readInputs(inputs, report) };
  });
}

function readInputs(inputs: Cursor<readonly string[]>, report: Report): readonly string[] {
  return items(inputs).flatMap((input) => {
    const path = insidePath(input.value);
    if (path !== undefined) return [path];
    const message = `inputs: ${quote(input.value)} is no path below the source root`;
    report.error({ code: 'invalid-path', at: input.place.value, message, hint: 'write a relative path or glob without ".."' });
    return [];
  });
}

/** A hook's script; one of white space alone counts as none. */
export function scriptOf(text: string | null | undefined): string | undefined {
  return text === null || text === undefined || text.trim() === '' ? undefined : text;
}
