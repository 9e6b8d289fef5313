import type { WebLocation } from '@coppice/model';
import { CoppiceError } from '@coppice/model';

const configurationFile = '/etc/nginx/coppice.conf';
const headerName = /^[A-Za-z0-9-]{1,100}$/;
const plainPath = /^[^\0-\x20"'\\;{}$]{0,500}$/;

/**
 * The files of the web server `nginx` of the catalog for an application's `web.locations`, by absolute path in the image. Where no
 * location has a root, the application's own folder is served. Pure.
 *
 * What always holds: only regular files below the roots are answered, none whose path has a part that starts with a dot (but
 * `.well-known`); an answer has an ETag and no Last-Modified, since times in an image are made of content and a browser would keep for
 * years what seems that old; redirects are relative; logs go to the container's output; nothing tells the server's version.
 *
 * Throws `invalid-configuration` for a prefix, folder, header or rule that a configuration of nginx cannot hold.
 */
export function staticServerFiles(
  locations: Readonly<Record<string, WebLocation>>,
  application = '/app',
): Readonly<Record<string, string>> {
  const withRoot = Object.entries(locations).filter(([, location]) => location.root !== undefined);
  const served: readonly (readonly [string, WebLocation])[] = withRoot.length > 0 ? withRoot : [['/', wholeFolder]];
  return { [configurationFile]: configuration(served.map(([prefix, location]) => locationBlock(prefix, location, application))) };
}

const wholeFolder: WebLocation = {
  root: '',
  index: ['index.html'],
  passthru: false,
  expiresSeconds: -1,
  allow: true,
  headers: {},
  rules: {},
};

function configuration(locations: readonly string[]): string {
  return `daemon off;
pid /tmp/nginx.pid;
worker_processes 1;
error_log stderr warn;
events {
  worker_connections 1024;
}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  charset utf-8;
  charset_types text/css text/plain text/xml application/javascript application/json application/xml image/svg+xml;
  # A value of a header may hold a dollar sign, for which nginx has no escape.
  geo $dollar {
    default "$";
  }
  access_log /dev/stdout;
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  client_max_body_size 1m;
  server_tokens off;
  absolute_redirect off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75s;
  etag on;
  if_modified_since off;
  gzip on;
  gzip_static on;
  gzip_vary on;
  gzip_proxied any;
  gzip_types text/css text/plain text/xml application/javascript application/json application/xml image/svg+xml;
  server {
    listen 8080 default_server;
    location ~ /\\.(?!well-known/) {
      return 404;
    }
    location = /coppice.yaml {
      return 404;
    }
${locations.join('')}  }
}
`;
}

function locationBlock(prefix: string, location: WebLocation, application: string): string {
  const bare = prefix.replace(/\/+$/, '');
  const root = (location.root ?? '').replace(/^\/+|\/+$/g, '');
  if (!plainPath.test(bare) || (bare !== '' && !bare.startsWith('/'))) throw unusable(`the location "${prefix}"`);
  if (!plainPath.test(root) || root.split('/').includes('..')) throw unusable(`the root "${location.root}" of the location "${prefix}"`);
  const folder = root === '' || root === '.' ? `${application}/` : `${application}/${root}/`;
  const rules = Object.entries(location.rules).map(
    ([pattern, rule]) => `      location ~ ${quoted(pattern, 'pattern')} {\n${answer({ ...location, ...rule }, '        ')}      }\n`,
  );
  // "/docs" belongs to the location "/docs/", which for nginx begins with the slash.
  const slash = bare === '' ? '' : `    location = "${bare}" {\n      return 301 "${bare}/";\n    }\n`;
  return `${slash}    location "${bare}/" {\n      alias "${folder}";\n${answer(location, '      ')}${rules.join('')}    }\n`;
}

function answer(location: Omit<WebLocation, 'rules'>, indent: string): string {
  if (!location.allow) return `${indent}return 403;\n`;
  const index = location.index.filter((name) => plainPath.test(name) && name !== '' && !name.includes('/'));
  const fallback = typeof location.passthru === 'string' ? quoted(`/${location.passthru.replace(/^\/+/, '')}`, 'text') : '=404';
  const lines = [
    `try_files $uri ${index.length > 0 ? '$uri/ ' : ''}${fallback};`,
    ...(index.length > 0 ? [`index ${index.join(' ')};`] : []),
    'add_header Last-Modified "";',
    ...(location.expiresSeconds >= 0 ? [`expires ${Math.floor(location.expiresSeconds)}s;`] : []),
    ...Object.entries(location.headers).map(([name, value]) => {
      if (!headerName.test(name)) throw unusable(`the header "${name}"`);
      return `add_header ${name} ${quoted(value, 'text')};`;
    }),
  ];
  return lines.map((line) => `${indent}${line}\n`).join('');
}

/** A word of nginx's configuration in quotes. In a pattern a dollar sign is no variable. */
function quoted(value: string, kind: 'text' | 'pattern'): string {
  if (value.length > 4000 || [...value].some((character) => character < ' ' || character === '\x7f'))
    throw unusable(`the text ${JSON.stringify(value.slice(0, 100))}`);
  const escaped = value.replace(/["\\]/g, '\\$&');
  return `"${kind === 'text' ? escaped.replaceAll('$', '$' + '{dollar}') : escaped}"`;
}

function unusable(what: string): CoppiceError {
  return new CoppiceError('invalid-configuration', `web.locations: ${what} cannot be served`, {
    hint: 'paths are plain, without spaces, quotes, "..", ";" or braces; texts hold no control characters',
  });
}
