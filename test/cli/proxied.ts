/** A server, a client behind a proxy that can break what is between them, and terminals on it; for each test anew. */
import { afterEach, beforeEach } from 'vitest';
import { Proxy } from '../e2e/proxy.ts';
import { Rig } from '../e2e/rig.ts';
import { Screen } from './screen.ts';

export interface Proxied {
  readonly rig: Rig;
  readonly proxy: Proxy;
  /** The command line in a terminal. */
  open(words?: readonly string[], columns?: number, rows?: number): Screen;
}

/** Call it where tests are declared; what it returns is there while one runs. */
export function proxied(): Proxied {
  let rig: Rig;
  let proxy: Proxy;
  beforeEach(async () => {
    rig = await Rig.start();
    proxy = await Proxy.before(rig);
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
  });
  return {
    get rig() { return rig; },
    get proxy() { return proxy; },
    open: (words = [], columns = 80, rows = 24) => new Screen(words, { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder } }),
  };
}
