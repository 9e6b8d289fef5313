import type { FileTexts } from './clone.ts';

/** A Node application without dependencies: the fastest there is to build and to start. */
export interface TinyApp {
  /** What it answers at `/`; `one` where missing. */
  readonly answer?: string;
  /** The whole coppice.yaml; one web application where missing. */
  readonly yaml?: string;
  /** Statements before it listens. */
  readonly before?: string;
  /** Statements once it was told to listen; `server` is the HTTP server. */
  readonly after?: string;
  /** Handlers by path: the body of a function of `request` and `response`. */
  readonly paths?: Readonly<Record<string, string>>;
}

export const tinyYaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
`;

/** Its files. It ends at once when it is told to, after what it answers just now. */
export function tinyApp({ answer = 'one', yaml = tinyYaml, before = '', after = '', paths = {} }: TinyApp = {}): FileTexts {
  const handlers = Object.entries(paths).map(([path, body]) => `  ${JSON.stringify(path)}: async (request, response) => { ${body} },`);
  return {
    'coppice.yaml': yaml,
    'server.mjs': `import { createServer } from 'node:http';
${before}
const paths = {
  '/': (request, response) => response.end(${JSON.stringify(answer)}),
${handlers.join('\n')}
};
const server = createServer(async (request, response) => {
  try {
    const handler = paths[new URL(request.url, 'http://app').pathname];
    if (handler) await handler(request, response);
    else response.writeHead(404).end();
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
${after}
`,
  };
}
