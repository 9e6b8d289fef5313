import { CoppiceError, type ErrorCode, isCoppiceError } from '@coppice/model';

/** HTTP status by error code: a new code does not compile until it has one. */
const statusOf: { readonly [Code in ErrorCode]: number } = {
  'invalid-configuration': 422,
  'invalid-request': 400,
  'invalid-tree': 422,
  'not-found': 404,
  'not-allowed': 403,
  unauthenticated: 401,
  conflict: 409,
  'idempotency-key-reused': 422,
  'limit-exceeded': 413,
  'data-loss-refused': 409,
  'build-failed': 422,
  'build-limit': 422,
  'job-failed': 422,
  'not-ready': 422,
  cancelled: 409,
  superseded: 409,
  'engine-unreachable': 503,
  'engine-failed': 502,
  'router-failed': 502,
  'volume-failed': 500,
  'git-failed': 500,
  'catalog-invalid': 500,
  'base-failed': 502,
  'state-failed': 500,
  'secret-unreadable': 500,
  'missing-tool': 500,
  interrupted: 409,
  internal: 500,
};

/** Problem details of RFC 9457, with our code, diagnostics and hint as extensions. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly diagnostics?: CoppiceError['diagnostics'];
}

/** Any failure as problem details; what is not ours is `internal` and tells nothing of the inside. */
export function problemOf(error: unknown): Problem {
  const known = isCoppiceError(error) ? error : fromFramework(error);
  return {
    type: `https://coppice.invalid/errors/${known.code}`,
    title: known.code.replaceAll('-', ' '),
    status: statusOf[known.code],
    detail: known.message,
    code: known.code,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known.diagnostics.length === 0 ? {} : { diagnostics: known.diagnostics }),
  };
}

/** Fastify's own refusals (bad JSON, a body that is too large, a schema that does not fit) carry a status below 500. */
function fromFramework(error: unknown): CoppiceError {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (status === 413) return new CoppiceError('limit-exceeded', message);
  if (status >= 400 && status < 500) return new CoppiceError('invalid-request', message);
  return new CoppiceError('internal', 'something failed inside; the server log has the details', { cause: error });
}
