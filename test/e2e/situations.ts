/**
 * Situations: for each code of the closed list a way to meet it, with the real command line against a real server. Each is run twice,
 * for people and for programs. Those that share a server and what it holds in flight run one after the other, all others at once.
 */
import { appendFile, cp, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Failure, type Code } from '../../src/errors.ts';
import { errorMessage } from '../../src/wire/messages.ts';
import { MIB, bytes, stagedBytes } from './feed.ts';
import { Hostile } from './hostile.ts';
import { Proxy } from './proxy.ts';
import { finished, Rig, type Ran } from './rig.ts';
import { staged, until } from './traces.ts';

/** How a code was met: what stands above the command on the page, the command, and what it said to a person and to a program. */
export interface Met { readonly how?: string; readonly typed: string; readonly text: Ran; readonly json: Ran }

/** By its code, what was met, or will be; undefined for what this machine cannot do. */
export type Meetings = ReadonlyMap<Code, Promise<Met>>;

/** Larger than any disk, and than what is free on those that are shared by many. */
const HUGE = 15 * 2 ** 40;

/** Servers, devices, and what is on them: the folder `full`, the file `a` and the link `link` there; the folder `a` and the files `new` and `huge` here. */
export class Stand implements AsyncDisposable {
  readonly #used: AsyncDisposable[] = [];
  main!: Rig;
  /** Whether there is a file that is too large for any disk. */
  hasHuge = true;
  #devices = 0;

  static async open(): Promise<Stand> {
    const stand = new Stand();
    const main = stand.main = await stand.rig();
    await mkdir(join(main.served, 'full'));
    await writeFile(join(main.served, 'full', 'b'), 'b');
    await writeFile(join(main.served, 'a'), 'a');
    await symlink('a', join(main.served, 'link'));
    await mkdir(join(main.local, 'a'));
    await writeFile(join(main.local, 'new'), 'new');
    await writeFile(join(main.local, 'huge'), '');
    // Before anything runs: the first quota of a server ends the sessions that were not counted until then.
    await main.run(['account', 'add', 'ann', '--rights', 'rw', '--root', 'full', '--quota', '1', '--state', main.state]);
    await truncate(join(main.local, 'huge'), HUGE).catch(() => { stand.hasHuge = false; });
    return stand;
  }

  /** One more server, with a device that has joined it. */
  async rig(serve: readonly string[] = []): Promise<Rig> {
    return this.use(await Rig.start({ serve }));
  }

  use<T extends AsyncDisposable>(other: T): T {
    this.#used.push(other);
    return other;
  }

  /** A device like that of `main`, whose book of servers says something else. */
  async device(change: (book: string) => string): Promise<Record<string, string>> {
    const home = join(this.main.folder, `device-${this.#devices += 1}`);
    await cp(this.main.home, home, { recursive: true });
    const book = join(home, 'servers.json');
    await writeFile(book, change(await readFile(book, 'utf8')));
    return { WHERRY_HOME: home };
  }

  /** The same, which believes the server to be at another port. */
  at(port: number, pin?: Uint8Array): Promise<Record<string, string>> {
    return this.device((book) => withPin(book.replace(/"port": \d+/, `"port": ${port}`), pin));
  }

  async [Symbol.asyncDispose](): Promise<void> { for (const one of this.#used.splice(0).reverse()) await one[Symbol.asyncDispose](); }
}

function withPin(book: string, pin: Uint8Array | undefined): string {
  return pin === undefined ? book : book.replace(/"pin": "[^"]*"/, `"pin": "${Buffer.from(pin).toString('base64url')}"`);
}

/** Both runs of one command. */
async function said(rig: Rig, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Met> {
  const [text, json] = await Promise.all([rig.run(words, { env }), rig.run([...words, '--json'], { env })]);
  return { typed: `wherry ${words.map((word) => (word.includes('*') ? `'${word}'` : word)).join(' ')}`, text, json };
}

/** Two puts of standard input, for a person and for a program, which have sent 1 MiB each and wait for more. */
async function inFlight(rig: Rig, name: string): Promise<{ readonly names: readonly string[]; kill(signal: NodeJS.Signals): void; end(): void; over(how: string): Promise<Met> }> {
  await until(async () => (await stagedBytes(rig.served)) === 0); // those of before rest
  const names = [`${name}-1`, `${name}-2`];
  const children = names.map((each, index) => rig.spawn(['put', '-', `:${each}`, ...(index === 0 ? [] : ['--json'])]));
  const ends = children.map((child) => finished(child));
  for (const child of children) child.stdin!.on('error', () => {}).write(bytes(MIB));
  await until(async () => (await stagedBytes(rig.served)) >= 2 * MIB);
  return {
    names,
    kill: (signal) => { for (const child of children) child.kill(signal); },
    end: () => { for (const child of children) child.stdin!.end(); },
    over: async (how) => {
      const [text, json] = await Promise.all(ends);
      return { how, typed: 'tar c photos | wherry put - :photos.tar', text: text!, json: json! };
    },
  };
}

type Flight = Awaited<ReturnType<typeof inFlight>>;

/** What is met by commands whose bytes are on the way, one after the other on one server, because what is staged is counted: what is done to them, and how it is told. */
const IN_FLIGHT: readonly (readonly [Code, string, (flight: Flight, rig: Rig) => unknown])[] = [
  ['CANCELLED', 'On ^C:', (flight) => flight.kill('SIGINT')],
  ['TERMINATED', 'When `kill` ends it:', (flight) => flight.kill('SIGTERM')],
  ['BUSY', 'When the same account has begun another upload of the same name at another terminal:', async (flight, rig) => {
    await Promise.all(flight.names.map((name) => rig.run(['put', '-', `:${name}`], { input: 'again' })));
    flight.end();
  }],
  ['VERIFY', 'When the disk of the server loses a part of what was written to it:', async (flight, rig) => {
    for (const name of await staged(rig.served)) if (name.endsWith('.live')) await truncate(join(rig.served, '.wherry', name), MIB / 2);
    flight.end();
  }],
  ['SHUTDOWN', 'When the server is stopped meanwhile, and its `--grace` has passed:', (_, rig) => rig.stop('SIGTERM')],
  ['LOST', 'When the server is killed meanwhile:', (_, rig) => rig.stop('SIGKILL')],
];

/** What is typed, and nothing else is to it. */
const TYPED: Partial<Record<Code, readonly string[]>> = {
  USAGE: ['put'], NOTFOUND: ['get', ':missing.txt'], EXISTS: ['mkdir', ':full'], NOTDIR: ['ls', ':a/'], ISDIR: ['get', ':a', './'],
  NOTEMPTY: ['rmdir', ':full'], BADNAME: ['mkdir', ':.wherry'], UNSUPPORTED: ['get', ':link'],
  PRECONDITION: ['put', 'new', ':a', '--if-match', '0'.repeat(64)], LIMIT: ['get', ':full', '--exclude', '*a*b*c*d*e*'],
};

/** What takes another device, account, server or file first. */
const PREPARED: Partial<Record<Code, (stand: Stand) => Promise<Met>>> = {
  async DENIED({ main }) {
    const env = { WHERRY_HOME: join(main.folder, 'reader') };
    await main.run(['join'], { env, input: (await main.run(['invite', '--ro', '--state', main.state])).stdout });
    return { ...await said(main, ['rm', ':a'], env), how: 'With a ticket for reading:' };
  },
  async AUTH({ main }) {
    const env = { WHERRY_HOME: join(main.folder, 'gone') };
    await main.run(['account', 'add', 'gone', '--rights', 'rw', '--state', main.state]);
    await main.run(['join'], { env, input: (await main.run(['invite', '--account', 'gone', '--state', main.state])).stdout });
    await main.run(['account', 'remove', 'gone', '--state', main.state]);
    return { ...await said(main, ['ls', ':'], env), how: 'After the owner has removed the account:' };
  },
  async IDENTITY(stand) { return { ...await said(stand.main, ['ls', ':'], await stand.device((book) => withPin(book, new Uint8Array(32)))), how: 'When another server answers at the address:' }; },
  async CONNECT(stand) {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const env = await stand.at((nobody.address() as AddressInfo).port);
    nobody.close();
    await once(nobody, 'close');
    return { ...await said(stand.main, ['ls', ':'], env), how: 'When no server runs:' };
  },
  async PROTOCOL(stand) {
    const web = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    stand.use({ [Symbol.asyncDispose]: async () => { web.close(); await once(web, 'close'); } });
    return { ...await said(stand.main, ['ls', ':'], await stand.at((web.address() as AddressInfo).port)), how: 'When a web server has taken the port:' };
  },
  async VERSION({ main }) { return { ...await said(main, ['join'], { WHERRY_TICKET: 'wherry2-ABCD-EFGH' }), how: 'With a ticket of a version to come in `WHERRY_TICKET`:' }; },
  async INTERNAL(stand) {
    const faulty = stand.use(await Hostile.start());
    faulty.script = (exchange) => exchange.say(errorMessage(Failure.from(new TypeError('x is undefined'))));
    return { ...await said(stand.main, ['ls', ':'], await stand.at(faulty.address.port, faulty.pin)), how: 'When the server meets a mistake in itself:' };
  },
  async QUOTA({ main }) {
    const token = (await main.run(['token', 'create', '--account', 'ann', '--state', main.state])).stdout.trim();
    return { ...await said(main, ['put', 'new', ':'], { WHERRY_TOKEN: token, WHERRY_SERVER: `${main.listening.address}#${main.listening.fingerprint}` }), how: 'For an account that may hold one byte:' };
  },
  async NOSPACE({ main }) { return { ...await said(main, ['put', 'huge', ':']), how: 'Of a file of 15 TiB:' }; },
  async IO({ main }) { return { ...await said(main, ['put', '/proc/self/mem', ':memory']), how: 'Of a file that the system will not read (`EIO`), as of one on a bad disk:' }; },
};

/** A server that is stopped in its tracks: it holds connections, and answers nothing. */
async function frozen(stand: Stand): Promise<Pick<Record<Code, Met>, 'TIMEOUT' | 'DEADLINE'>> {
  const rig = await stand.rig();
  rig.server!.kill('SIGSTOP');
  const [TIMEOUT, DEADLINE] = await Promise.all([said(rig, ['invite', '--state', rig.state]), said(rig, ['ls', ':', '--deadline', '300ms'])]);
  return { TIMEOUT: { ...TIMEOUT, how: 'When the server has been halted (`kill -STOP`):' }, DEADLINE: { ...DEADLINE, how: 'Of the same server:' } };
}

/** A file that grows while it is read. */
async function changed(rig: Rig): Promise<Met> {
  await using proxy = await Proxy.before(rig);
  const runs: Ran[] = [];
  for (const [index, words] of [['put', 'log', ':'], ['put', 'log', ':', '--json']].entries()) {
    await writeFile(join(rig.local, 'log'), bytes(32 * MIB, index)); // another one, of which nothing is there yet
    proxy.cutAfter({ up: 4 * MIB, hold: true });
    const running = finished(rig.spawn(words));
    await proxy.held();
    await appendFile(join(rig.local, 'log'), 'more');
    await proxy.release();
    runs.push(await running);
  }
  await proxy.bypass(rig);
  return { how: 'When another program writes to the file meanwhile:', typed: 'wherry put log :', text: runs[0]!, json: runs[1]! };
}

/** Begins all of it. Nobody may be left waiting for what failed, so that it is told where it is asked for. */
export function meetAll(stand: Stand): Meetings {
  const all = new Map<Code, Promise<Met>>();
  for (const [code, words] of Object.entries(TYPED)) all.set(code as Code, said(stand.main, words));
  for (const [code, meet] of Object.entries(PREPARED)) {
    if (code === 'NOSPACE' ? stand.hasHuge : code !== 'IO' || process.platform === 'linux') all.set(code as Code, meet(stand));
  }
  const still = frozen(stand);
  for (const code of ['TIMEOUT', 'DEADLINE'] as const) all.set(code, still.then((both) => both[code]));
  const busy = stand.rig(['--grace', '300ms']);
  all.set('CHANGED', busy.then(changed));
  let before: Promise<unknown> = all.get('CHANGED')!;
  for (const [code, how, meet] of IN_FLIGHT) {
    const next = before.catch(() => {}).then(async () => {
      const rig = await serving(await busy);
      const flight = await inFlight(rig, `${code}.tar`);
      await meet(flight, rig);
      return flight.over(how);
    });
    all.set(code, next);
    before = next;
  }
  for (const each of all.values()) each.catch(() => {});
  return all;
}

/** The rig, whose server is started again if it was ended. */
async function serving(rig: Rig): Promise<Rig> {
  if (rig.server!.exitCode !== null || rig.server!.signalCode !== null) await rig.serve();
  return rig;
}
