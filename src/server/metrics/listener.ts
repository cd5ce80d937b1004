/**
 * Listener: `/metrics`, `/healthz` and `/readyz` over HTTP, for programs of this machine that watch it.
 *
 * It answers GET and nothing else, has few connections and short patience, and says nothing about people or files. A page in a
 * browser must not read it by way of a name that leads here (DNS rebinding): the `Host` has to be an address, `localhost`, or a
 * name it was told to listen at. Whether it may listen beyond this machine is decided in `config.ts`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { Failure } from '../../errors.ts';
import type { Listen } from '../listen.ts';
import type { Health } from './health.ts';
import { METRICS_TYPE } from './registry.ts';

export interface ListenerOptions {
  readonly at: Listen & { readonly host: string };
  /** The metrics as text. */
  metrics(): string;
  health(): Promise<Health>;
}

export interface Listener extends AsyncDisposable {
  /** `host:port` as bound. */
  readonly address: string;
}

/** A scraper keeps one open, a person with a browser some: more is a mistake or an attack. */
const MAX_CONNECTIONS = 16;
/** A request is one line and some headers, from this machine. */
const PATIENCE_MS = 5_000;
const MAX_HEADER_BYTES = 8 << 10;
const PLAIN = 'text/plain; charset=utf-8';

interface Answer { readonly status: number; readonly text: string; readonly type?: string; readonly allow?: string }

/** Listens. Rejects with CONNECT when the address cannot be had. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createServer({
    headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, keepAliveTimeout: PATIENCE_MS, connectionsCheckingInterval: 1000, maxHeaderSize: MAX_HEADER_BYTES,
  }, (request, response) => void reply(request, response, options));
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(2 * PATIENCE_MS, (socket) => socket.destroy()); // also one that does not read its answer
  await listening(server, options.at);
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function reply(request: IncomingMessage, response: ServerResponse, options: ListenerOptions): Promise<void> {
  const { status, text, type = PLAIN, allow } = await answerTo(request, options).catch(() => ({ status: 500, text: 'this could not be found out\n', type: PLAIN, allow: undefined }));
  response.writeHead(status, {
    'Content-Type': type, 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff',
    ...(allow !== undefined && { Allow: allow }),
    // What was not read of a request would be taken for the next one.
    ...(request.method !== 'GET' && { Connection: 'close' }),
  });
  response.end(text);
}

async function answerTo({ method, url = '', headers }: IncomingMessage, { at, metrics, health }: ListenerOptions): Promise<Answer> {
  if (!isOurs(headers.host, at.host)) return { status: 421, text: 'this is not known by that name: use an address\n' };
  if (method !== 'GET') return { status: 405, text: 'only GET\n', allow: 'GET' };
  switch (url.replace(/\?.*$/, '')) {
    case '/metrics': return { status: 200, text: metrics(), type: METRICS_TYPE };
    case '/healthz': return { status: 200, text: 'ok\n' };
    case '/readyz': {
      const { ready, checks } = await health();
      return { status: ready ? 200 : 503, text: checks.map(({ name, ok, message }) => `${ok ? 'ok' : 'not ok'} ${name}: ${message}\n`).join('') };
    }
    default: return { status: 404, text: 'there are /metrics, /healthz and /readyz\n' };
  }
}

/** Whether a `Host` names us. A name that somebody else made to lead here does not. */
function isOurs(header: string | undefined, listened: string): boolean {
  const [, ipv6, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  const name = (ipv6 ?? plain ?? '').toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || (name !== '' && name === listened.toLowerCase());
}

function listening(server: Server, { host, port }: ListenerOptions['at']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Failure('CONNECT', `cannot listen for metrics on ${host}, port ${port}: ${error.message}`, { who: 'here', hint: 'choose another with --metrics HOST:PORT', cause: error })));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {}); // a failed accept concerns that connection alone
      resolve();
    });
  });
}
