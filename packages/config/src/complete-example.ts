/** For tests: a file that uses every section, in the shape that people bring from Upsun where there is one. */
export const completeExample = `
applications:
  web:
    type: nodejs:24
    source: { root: app }
    build: [{ run: npm ci, inputs: [package.json, package-lock.json] }, npm run build]
    hooks: { build: "make", deploy: npm run migrate, post_deploy: npm run warm }
    dependencies: { nodejs: { pnpm: 9.10 } }
    web:
      commands: { pre_start: a, start: node server.js, post_start: b }
      upstream: { socket_family: tcp, protocol: http }
    workers:
      queue: { commands: { start: node worker.js }, instances: 2, stop_grace: 90s }
      mail: { start: node mail.js, relationships: {}, variables: { env: { X: y } }, mounts: { spool: tmp }, size: S }
    crons: { tidy: { spec: "H */2 * * *", commands: { start: node tidy.js }, timeout: 600 } }
    variables: { env: { NODE_ENV: production, VERSION: 1.10, DEBUG: false, TEXT: "a\\n- b: c # d" } }
    relationships: { database: "db:reporter", cache: , api: "api:http" }
    mounts: { uploads: storage, index: { source: instance, source_path: idx }, tmp/cache: tmp }
    resources: { cpu: 0.5, memory: 1.5G, disk: 2G }
    healthcheck: { path: /health, interval: 1500ms, timeout: 1 }
    access: { ssh: contributor }
    firewall: { outbound: [{ ips: [10.0.0.0/8], domains: [a.org], ports: [443] }, { protocol: udp }] }
    stop_grace: 30s
    moved: { from: old }
  api:
    image: example.org/api@sha256:${'a'.repeat(64)}
    size: 2XL
    healthcheck: { command: ./check }
  site:
    type: static
    web:
      locations:
        /: { root: public, index: [index.html], passthru: /404.html, expires: 1h, allow: true, headers: { X-A: b }, rules: { '\\.map$': { allow: false } } }
  jobs: { type: python:3.11, start: python jobs.py, web: { enabled: false }, build: [] }
services:
  db:
    type: postgresql:15
    configuration:
      schemas: [main, other]
      endpoints: { reporter: { default_schema: main, privileges: { main: ro } }, admin: {} }
      properties: { max_connections: 20, work_mem: 4MB }
    relationships: [cache]
    size: M
    disk: 1024
    version: 15.10-0+deb12u1
  cache: redis:7
routes:
  "http(s)://{default}/":
    type: upstream
    upstream: web:http
    primary: true
    id: main
    headers: { X-Frame-Options: DENY }
    access: { basic_auth: { staff: secret }, addresses: [{ permission: allow, address: 10.0.0.0/8 }] }
    redirects: { paths: { /old: { to: /new }, /b: { to: "https://b.org/x", code: 301, prefix: false } } }
  "http(s)://{default}/api/": { upstream: api }
  "http(s)://www.{default}/": { type: redirect, to: "http://{default}/" }
environments:
  - { match: main, resources: { web: { cpu: 2 }, db: { memory: 1G } }, instances: { api: 3 }, variables: { env: { A: b } } }
  - { match: "feature/**", data: clone, suspend_after: 30m }
data: { sanitize: { node: web, run: ./sanitize.sh, timeout: 10m } }
backups: [{ schedule: "0 3 * * *", keep: 14 }]
catalog: { nearest: newer }
`;
