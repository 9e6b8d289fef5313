/** A small Node http application without packages, build steps and hooks; it answers with `version`. */
export function smallApplication(version: string): Readonly<Record<string, string>> {
  return {
    'coppice.yaml': 'applications:\n  web:\n    type: nodejs:24\n    start: node server.js\n',
    'server.js': serverText(version),
    'README.md': 'A small application.\n',
  };
}

/** The one file that a change of version touches, in one line. */
export function serverText(version: string): string {
  return `const { createServer } = require('node:http');

const version = '${version}';

createServer((request, response) => {
  response.end(version);
}).listen(process.env.PORT);
`;
}
