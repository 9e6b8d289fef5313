import type { ResolvedType } from '@coppice/catalog';
import { type Digest, digestOf, type SourceEntry } from '@coppice/model';
import type { BuildRequest } from '../image-builder.ts';
import type { ImageFiles } from '../layer/files-layer.ts';

/** Raised whenever the same inputs would give another image: the layout of layers, the packing, the environment of steps. */
export const builderVersion = 1;

/** One command of a build. */
export interface Step {
  readonly run: string;
  readonly inputs: readonly string[] | undefined;
}

/** The key of a build and what entered it. Nothing else does: not the project, not the host, not the time. */
export function buildKey(request: BuildRequest, base: Digest): { readonly key: Digest; readonly inputs: readonly NamedInput[] } {
  const application = request.application;
  const inputs: NamedInput[] = [
    { name: 'builder', value: String(builderVersion) },
    { name: 'base', value: base },
    { name: 'type files', value: filesKey(request.type.files) },
  ];
  if (application) {
    inputs.push({ name: 'source', value: application.source.id });
    for (const [index, step] of application.steps.entries()) {
      const reads = step.inputs ? ` (reads ${step.inputs.join(', ')})` : '';
      inputs.push({ name: `step ${index + 1}`, value: `${step.run}${reads}` });
    }
    for (const [name, value] of Object.entries(buildVariables(request)).sort(byName)) {
      // values may be private to whoever wrote them; a digest tells a change as well
      inputs.push({ name: `variable ${name}`, value: digestOf(value) });
    }
    inputs.push({ name: 'files', value: filesKey(asImageFiles(application.files)) });
  }
  const steps = application?.steps.map((step) => [step.run, step.inputs]) ?? [];
  return { key: digestOf({ v: builderVersion, inputs, steps }), inputs };
}

export interface NamedInput {
  readonly name: string;
  readonly value: string;
}

/** What the steps of a build see: the type's variables, then the application's. */
export function buildVariables(request: BuildRequest): Readonly<Record<string, string>> {
  return { ...request.type.build?.variables, ...request.application?.variables };
}

/** Key of the image that the sandbox runs steps in: the base with the type's own files. */
export function runtimeKey(type: ResolvedType, base: Digest): Digest {
  return digestOf({ v: builderVersion, kind: 'runtime', base, files: filesKey(type.files) });
}

/** Key of a step that reads only its inputs, on top of what the steps before it made. */
export function inputStepKey(
  parent: Digest,
  step: Step,
  variables: Readonly<Record<string, string>>,
  inputs: readonly SourceEntry[],
): Digest {
  const read = inputs.map((entry) => [entry.path, entry.kind, entry.id]);
  return digestOf({ v: builderVersion, kind: 'input-step', parent, run: step.run, variables, read });
}

/** Key of a step that sees the whole source. */
export function sourceStepKey(parent: Digest, step: Step, variables: Readonly<Record<string, string>>, source: string): Digest {
  return digestOf({ v: builderVersion, kind: 'source-step', parent, run: step.run, variables, source });
}

/** Key of the layer that holds a source tree. */
export function sourceKey(source: string): Digest {
  return digestOf({ v: builderVersion, kind: 'source', source });
}

/** Key of the layer that holds such files. */
export function filesKey(files: ImageFiles): Digest {
  return digestOf({ v: builderVersion, kind: 'files', files });
}

/** Files without a mode of their own. */
export function asImageFiles(files: Readonly<Record<string, string>>): ImageFiles {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path, { content, executable: false }]));
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1;
}
