import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Digest, parseDigest } from '@coppice/model';
import { mediaTypes } from '../store/image-manifest.ts';
import type { OciStore } from '../store/oci-store.ts';
import { parseRange } from './byte-range.ts';

export interface RegistryOptions {
  readonly store: OciStore;
  /** The password of Basic authentication; any user name goes with it. */
  readonly token: string;
}

/** Answers one request below `/v2/`. Never rejects: what fails is answered, or the connection is cut. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The read-only half of the OCI distribution specification over the store: `/v2/`, manifests and blobs by digest, GET and HEAD, single
 * ranges. Names are not looked at, since digests say it all; tags there are none.
 */
export function createRegistryHandler({ store, token }: RegistryOptions): RegistryHandler {
  const expected = createHash('sha256').update(token).digest();
  return async (request, response) => {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    try {
      if (!isAllowed(request, expected)) {
        response.setHeader('www-authenticate', 'Basic realm="coppice"');
        refuse(response, 401, 'UNAUTHORIZED', 'the token is missing or wrong');
      } else if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        refuse(response, 405, 'UNSUPPORTED', 'this registry is read-only');
      } else {
        await answer(store, request, response);
      }
    } catch (error) {
      // a client that went away, or a disk that failed: too late for an answer once bytes have gone out
      if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
      else refuse(response, 500, 'UNKNOWN', 'the registry could not read its store');
    }
  };
}

const routePattern = /^\/v2\/[a-z0-9._/-]{1,255}\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/;

async function answer(store: OciStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === '/v2/' || path === '/v2') return send(request, response, 'application/json', Buffer.from('{}'));
  const route = routePattern.exec(path);
  const digest = parseDigest(route?.[2] ?? '');
  if (!route || !digest) return refuse(response, 404, 'NAME_UNKNOWN', 'only manifests and blobs by digest are served here');
  response.setHeader('docker-content-digest', digest);
  response.setHeader('etag', `"${digest}"`);
  if (route[1] === 'blobs') return sendBlob(store, digest, request, response);
  if (!(await store.manifest(digest))) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'there is no such manifest');
  return send(request, response, mediaTypes.manifest, await readFile(store.path(digest)));
}

async function sendBlob(store: OciStore, digest: Digest, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const size = await store.size(digest);
  if (size === undefined) return refuse(response, 404, 'BLOB_UNKNOWN', 'there is no such blob');
  const range = parseRange(request.headers.range, size);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-type', 'application/octet-stream');
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${size}`);
    return refuse(response, 416, 'SIZE_INVALID', 'the range lies beyond the end');
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.setHeader('content-length', end - start + 1);
  if (range) response.setHeader('content-range', `bytes ${start}-${end}/${size}`);
  response.writeHead(range ? 206 : 200);
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  await pipeline(createReadStream(store.path(digest), { start, end, highWaterMark: 1024 * 1024 }), response);
}

function send(request: IncomingMessage, response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function isAllowed(request: IncomingMessage, expected: Buffer): boolean {
  const [scheme, encoded] = (request.headers.authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() !== 'basic' || !encoded) return false;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  const given = createHash('sha256')
    .update(pair.slice(colon + 1))
    .digest();
  return colon !== -1 && timingSafeEqual(given, expected);
}
