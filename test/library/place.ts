/** A server and its clients in one program: `serve` and `connect` as the package exports them, on folders of their own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordFolder, recordText } from '../e2e/recorder.ts';
import { connect, join as enrol, serve, type Client, type Server, type ServeOptions, type ServerEvent } from '../../src/index.ts';

export class Place implements AsyncDisposable {
  readonly folder: string;
  readonly server: Server;
  readonly events: ServerEvent[];
  readonly #clients: Client[] = [];

  private constructor(folder: string, server: Server, events: ServerEvent[]) {
    this.folder = folder;
    this.server = server;
    this.events = events;
  }

  static async open(options: ServeOptions = {}): Promise<Place> {
    const folder = mkdtempSync(join(tmpdir(), 'wherry-library-'));
    for (const name of ['served', 'local']) mkdirSync(join(folder, name));
    const events: ServerEvent[] = [];
    const server = await serve(join(folder, 'served'), { listen: ['127.0.0.1:0'], state: join(folder, 'state'), onEvent: (event) => events.push(event), ...options });
    await enrol({ ticket: server.ticket, home: join(folder, 'home'), as: 'place' });
    return new Place(folder, server, events);
  }

  served(name = ''): string { return join(this.folder, 'served', name); }
  local(name = ''): string { return join(this.folder, 'local', name); }
  get home(): string { return join(this.folder, 'home'); }

  /** A connection that is closed with the place. */
  async connect(): Promise<Client> {
    const client = await connect({ home: this.home });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.server.stop({ graceMs: 0 });
    recordText(['serve'], 'stdout', Buffer.from(this.events.map((event) => JSON.stringify(event)).join('\n')));
    for (const folder of ['state', 'home']) recordFolder(join(this.folder, folder));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
