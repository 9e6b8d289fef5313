import { startLoopbackServer } from './loopback-server.ts';

/**
 * A process of its own for tests that weigh or kill the server: tells its remote and size, its peak when asked, and ends when told.
 * With the argument `never` it tells when a push is prepared, and never answers it.
 */
const server = await startLoopbackServer();
// what a first request loads once is no growth
await fetch(`http://127.0.0.1:${server.port}/git/shop.git/info/refs`);
if (process.argv[2] === 'never') {
  server.handler.onPrepare = async () => {
    process.send?.('preparing');
    return await new Promise(() => undefined);
  };
}
const rss = process.memoryUsage.rss();
let peak = rss;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10);

process.on('message', (message) => {
  if (message === 'measure') process.send?.({ peak });
  if (message !== 'stop') return;
  clearInterval(watch);
  void server[Symbol.asyncDispose]().then(() => process.disconnect());
});
process.send?.({ remote: server.remote, repository: server.repositories.path('p_1'), rss });
