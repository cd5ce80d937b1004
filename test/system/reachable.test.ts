/**
 * A machine with several networks, as a network namespace of this one: what a server says of how it is reached, and that it is, at each.
 * Skipped where namespaces cannot be made: that needs root and iproute2.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Screen } from '../cli/screen.ts';
import { MAIN } from '../e2e/rig.ts';

const NAME = `wh-many-${process.pid}`;
/** Two cables, each with both of its ends in the machine; three of the ends have an address. */
const CABLES = [['eth0', 'wlan0'], ['docker0', 'eth1']] as const;
const ADDRESSES = { eth0: '10.77.1.1/24', wlan0: '192.168.77.3/24', docker0: '172.31.0.1/16' } as const;

const ip = (line: string): void => { execFileSync('ip', line.split(' '), { stdio: 'ignore' }); };

function made(): boolean {
  try {
    ip(`netns add ${NAME}`);
    ip(`-n ${NAME} link set lo up`);
    for (const [one, other] of CABLES) {
      ip(`-n ${NAME} link add ${one} type veth peer name ${other}`);
      for (const end of [one, other]) ip(`-n ${NAME} link set ${end} up`);
    }
    for (const [end, address] of Object.entries(ADDRESSES)) ip(`-n ${NAME} addr add ${address} dev ${end}`);
    return true;
  } catch {
    removed();
    return false;
  }
}

function removed(): void {
  try { ip(`netns del ${NAME}`); } catch { /* was never made */ }
}

const possible = made();
afterAll(removed);

describe.skipIf(!possible).each([[80, 24], [40, 10]] as const)('on a terminal of %d columns and %d rows', (columns, rows) => {
  test('a server names every address with its network, and is joined by its ticket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wherry-many-'));
    mkdirSync(join(folder, 'share'));
    const enter = (words: readonly string[]): string[] => ['netns', 'exec', NAME, process.execPath, MAIN, ...words];
    const under = ['ip', 'netns', 'exec', NAME];
    try {
      await using screen = new Screen(['serve', 'share'], { cwd: folder, columns, rows, env: { WHERRY_HOME: join(folder, 'server'), HOME: folder }, under });
      await screen.see(/stops the\s+server/);
      const text = screen.lines.join('\n');
      expect(text).toMatch(/^ {2}10\.77\.1\.1:9437\s+eth0, wired/m);
      expect(text).toMatch(/^ {2}192\.168\.77\.3:9437\s+wlan0, wireless/m);
      expect(text).toMatch(/^ {2}172\.31\.0\.1:9437\s+docker0, containers/m);
      const ticket = /wherry1-[0-9A-Z-]+/.exec(text)![0];
      const env = { PATH: process.env['PATH'], HOME: folder, WHERRY_HOME: join(folder, 'device'), WHERRY_TICKET: ticket };
      expect(execFileSync('ip', enter(['join', '--as', 'many']), { env, encoding: 'utf8' })).toContain('many');
      // Each address that the ticket has is one by which the server is found.
      const known = JSON.parse(readFileSync(join(folder, 'device/servers.json'), 'utf8')) as { servers: { addresses: { host: string }[] }[] };
      expect(known.servers[0]!.addresses.map(({ host }) => host)).toEqual(expect.arrayContaining(['10.77.1.1', '192.168.77.3']));
      expect(execFileSync('ip', enter(['ls', 'many:']), { env, encoding: 'utf8' })).toBe('');
      screen.type('\u0003');
      expect(await screen.exit).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
