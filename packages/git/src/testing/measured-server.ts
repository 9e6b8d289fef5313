import { startLoopbackServer } from './loopback-server.ts';

/** A process of its own for tests that weigh the server: tells its remote and size, its peak when asked, and ends when told. */
const server = await startLoopbackServer();
// what a first request loads once is no growth
await fetch(`http://127.0.0.1:${server.port}/git/shop.git/info/refs`);
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
process.send?.({ remote: server.remote, rss });
