import { limits } from './limits.ts';
import type { Report } from './report.ts';
import { type SourceText, sourceText } from './source-text.ts';

/** A file as it stands in the commit. */
export interface ConfigurationFile {
  /** Path in the repository, e.g. `coppice.yaml`. */
  readonly name: string;
  readonly bytes: Uint8Array | string;
}

/**
 * Bytes to text: at most 256 KiB, strictly UTF-8 (a byte order mark is dropped), no control characters but tab and line
 * ends. Undefined where the file cannot be read at all; why is in the report.
 */
export function checkedText(file: ConfigurationFile, report: Report): SourceText | undefined {
  const start = { file: file.name, line: 1, column: 1 };
  const size = typeof file.bytes === 'string' ? Buffer.byteLength(file.bytes) : file.bytes.byteLength;
  if (size > limits.fileBytes) {
    report.error({
      code: 'file-too-large',
      at: start,
      message: `the file has ${size} bytes`,
      hint: `at most ${limits.fileBytes} are read (256 KiB); long files can be split into .coppice/*.yaml`,
    });
    return undefined;
  }
  const text = typeof file.bytes === 'string' ? file.bytes.replace(/^\uFEFF/, '') : decoded(file.bytes);
  if (text === undefined || !text.isWellFormed()) {
    report.error({ code: 'invalid-encoding', at: badBytePosition(file), message: 'the file is not valid UTF-8', hint: 'save it as UTF-8' });
    return undefined;
  }
  const source = sourceText(file.name, text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to refuse
  const control = text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\uFFFE\uFFFF]/);
  if (control !== -1) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    report.error({
      code: 'invalid-encoding',
      at: source.position(control),
      message: `the control character U+${code} may not stand in the file`,
    });
    return undefined;
  }
  return source;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Where the first bad sequence starts: the longest prefix that decodes to the same text in both modes ends there. */
function badBytePosition(file: ConfigurationFile): { readonly file: string; readonly line: number; readonly column: number } {
  const lenient = typeof file.bytes === 'string' ? file.bytes.toWellFormed() : new TextDecoder('utf-8').decode(file.bytes);
  const offset = lenient.indexOf('\uFFFD');
  return sourceText(file.name, lenient).position(offset === -1 ? 0 : offset);
}
