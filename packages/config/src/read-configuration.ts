import type { Diagnostic, Topology, TypeDirectory } from '@coppice/model';
import { type ConfigurationFile, checkedText } from './checked-text.ts';
import { composedDocument } from './composed-document.ts';
import { documentData, type LocatedData, type ValueBudget } from './document-data.ts';
import { limits } from './limits.ts';
import { isRecord, mergedFiles } from './merged-files.ts';
import { readTopology } from './read-topology.ts';
import { createReport, type NeededFolder, type Report } from './report.ts';
import { syntaxTree } from './syntax-tree.ts';
import { validShape } from './valid-shape.ts';

/** `coppice.yaml` and any `.coppice/*.yaml` of one commit, and the types that are there. */
export interface ConfigurationInput {
  readonly files: readonly ConfigurationFile[];
  readonly types: TypeDirectory;
}

/** What the files say. */
export interface Configuration {
  /** Undefined where a diagnostic is an error. */
  readonly topology?: Topology;
  /** Of all files, sorted by file, line and column; at most 20, of which the last then says how many more there are. */
  readonly diagnostics: Diagnostic[];
  /** Keys that are accepted and not acted on yet: `coppice.yaml:12:5  crons of web are not run yet`. */
  readonly inactive: string[];
  /** Folders that the file names and the commit must have: to be checked by whoever has its tree. */
  readonly folders: readonly NeededFolder[];
}

/** Reads the files as one. Pure; never throws for what stands in them. */
export function readConfiguration(input: ConfigurationInput): Configuration {
  const files = [...input.files].sort((a, b) => Number(inFolder(a.name)) - Number(inFolder(b.name)) || (a.name < b.name ? -1 : 1));
  const report = createReport(files.map((file) => file.name));
  const topology = readFiles(files, input.types, report);
  const diagnostics = report.diagnostics();
  const inactive = report.inactiveLines();
  const read = { diagnostics, inactive, folders: report.neededFolders() };
  return topology === undefined || report.hasErrors() ? read : { ...read, topology };
}

/** The file at the root comes before those in the folder. */
function inFolder(name: string): boolean {
  return name.includes('/');
}

function readFiles(files: readonly ConfigurationFile[], types: TypeDirectory, report: Report): Topology | undefined {
  const [first] = files;
  if (first === undefined || files.length > limits.files) {
    const at = { file: first?.name ?? 'coppice.yaml', line: 1, column: 1 };
    const message = first === undefined ? 'there is no coppice.yaml' : `there are ${files.length} files; at most ${limits.files} are read`;
    report.error({ code: first === undefined ? 'missing-key' : 'file-too-large', at, message });
    return undefined;
  }
  const budget: ValueBudget = { left: limits.values };
  const read = files.map((file) => readFile(file, report, budget));
  const readable = read.filter((file) => file !== undefined);
  if (readable.length === 0) return undefined;
  const everything = mergedFiles(readable, report);
  const isWhole = readable.length === read.length;
  // With a file missing, what it may declare must not be missed; and what points at it cannot be judged.
  const file = validShape(isWhole ? everything : withApplications(everything), report);
  return file && isWhole ? readTopology(file, { types, report, everything }) : undefined;
}

function readFile(file: ConfigurationFile, report: Report, budget: ValueBudget): LocatedData | undefined {
  const source = checkedText(file, report);
  const tokens = source && syntaxTree(source, report);
  const document = tokens && composedDocument(tokens, source, report);
  const located = document && documentData(document, source, report, budget);
  if (located === undefined || located.data === null || isRecord(located.data)) return located;
  report.error({ code: 'wrong-type', at: located.place.value, message: 'the file must be a map', hint: 'it starts with "applications:"' });
  return undefined;
}

function withApplications(located: LocatedData): LocatedData {
  return { ...located, data: { applications: {}, ...(located.data as Readonly<Record<string, unknown>>) } };
}
