/** The system's word for why a file cannot be had (`ENOENT`, `EACCES`, …), or all that is known. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
