/**
 * A proxy that counts, in a process of its own: forwards TCP connections to a server and adds up the bytes each way.
 * What it counts is what TLS or SSH put into the stream; headers of TCP and IP are not in it. Asked over the
 * channel that `fork` opens: open a door, tell the counts, act at a chosen byte. At that byte it either breaks every
 * connection, as a network does, or holds them all still until it is released, so that whoever asked can kill a
 * client there. One question at a time, one answer each.
 */
import { connect, createServer } from 'node:net';

/** @typedef {'up' | 'down'} Way Up is from the client to the server. */
/** @typedef {{ ask: 'open', host: string, port: number } | { ask: 'count', reset: boolean } | { ask: 'cut', way: Way, bytes: number, hold: boolean } | { ask: 'release' }} Question */
/** @typedef {import('node:net').Socket} Socket */

/** @type {Set<Socket>} */
const sockets = new Set();
const passed = { up: 0, down: 0 };
/** @type {{ way: Way, bytes: number, hold: boolean } | undefined} */
let cut;
let held = false;

/** @param {object} [answer] */
function say(answer = {}) {
  process.send?.(answer);
}

function actAtCut() {
  held = cut?.hold === true;
  cut = undefined;
  for (const socket of sockets) if (held) socket.pause(); else socket.destroy();
  say();
}

/** @param {Socket} from @param {Socket} to @param {Way} way */
function pass(from, to, way) {
  from.on('data', (/** @type {Buffer} */ chunk) => {
    passed[way] += chunk.length;
    if (!to.write(chunk)) from.pause();
    if (cut !== undefined && cut.way === way && passed[way] >= cut.bytes) actAtCut();
  });
  to.on('drain', () => { if (!held) from.resume(); });
}

/** @param {Socket} client @param {Socket} server */
function join(client, server) {
  const end = () => { client.destroy(); server.destroy(); };
  for (const socket of [client, server]) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', end);
    socket.on('close', () => { sockets.delete(socket); });
  }
  // One side may have finished and the other still speak: rsync and sftp end that way.
  client.on('end', () => server.end());
  server.on('end', () => client.end());
  pass(client, server, 'up');
  pass(server, client, 'down');
}

/** @param {string} host @param {number} port The real server's. */
function open(host, port) {
  const door = createServer({ allowHalfOpen: true }, (client) => join(client, connect({ host, port, allowHalfOpen: true })));
  door.listen(0, host, () => {
    const address = door.address();
    say({ port: typeof address === 'object' && address !== null ? address.port : 0 });
  });
}

process.on('message', (message) => {
  const question = /** @type {Question} */ (message);
  switch (question.ask) {
    case 'open':
      open(question.host, question.port);
      break;
    case 'count':
      say({ ...passed });
      if (question.reset) {
        Object.assign(passed, { up: 0, down: 0 });
        cut = undefined;
      }
      break;
    case 'cut':
      cut = question;
      break;
    case 'release':
      held = false;
      for (const socket of sockets) socket.resume();
      say();
      break;
  }
});
process.on('disconnect', () => process.exit());
