import type { IncomingMessage } from 'node:http';

/**
 * Whether two readers of a request could see two different ones: several Host headers, none, or a target that is no path. Node's parser
 * lets these through.
 */
export function isDoubtful(request: Pick<IncomingMessage, 'headersDistinct' | 'url'>): boolean {
  return request.headersDistinct.host?.length !== 1 || request.url?.startsWith('/') !== true;
}
