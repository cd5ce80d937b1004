/** The native door by itself, with a vault in memory behind it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/client/client.ts';
import { openHome } from '../../src/client/trust.ts';
import { createNativeDoor } from '../../src/doors/native.ts';
import { createEntrance, openPort } from '../../src/doors/port.ts';
import { Turnstile } from '../../src/doors/turnstile.ts';
import { Drive } from '../../src/drive.ts';
import { createKey, pinOf } from '../../src/identity.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { Budget } from '../../src/session/budget.ts';
import { createMemoryVault } from '../../src/store/memory.ts';

const MIB = 1 << 20;

/** A budget that remembers the most that was taken. */
class Watched extends Budget {
  most = 0;

  override reserve(bytes: number, held: number, retry: () => void): boolean {
    const fits = super.reserve(bytes, held, retry);
    this.most = Math.max(this.most, this.used);
    return fits;
  }
}

test('connections hold what the budget of their door allows, and one frame more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-door-'));
  const key = createKey();
  const budget = new Watched(3 * MIB);
  const vault = createMemoryVault();
  const native = createNativeDoor({
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: selfSigned(key, { name: 'door', hosts: ['localhost'] }), agent: 'test', name: 'test',
    driveFor: () => Promise.resolve({ drive: new Drive({ vault, principal: { name: 'ann', grants: everywhere(ROLES.rw) } }), account: 'ann', device: 'laptop', rights: ROLES.rw }),
    onEvent: () => {}, budget,
  });
  const enter = createEntrance({ native, onEvent: () => {} });
  await using port = await openPort({ host: '127.0.0.1', port: 0, take: (socket, gone) => { socket.once('close', gone); enter(socket); }, onEvent: () => {}, turnstile: new Turnstile({ connections: 10, connectionsPerAddress: 10 }) });
  const home = await openHome(join(folder, 'home'));
  await home.remember({ name: 'door', addresses: [{ host: '127.0.0.1', port: port.port }], pin: pinOf(key), account: 'ann', joined: new Date(0).toISOString() });
  writeFileSync(join(folder, 'big'), Buffer.alloc(24 * MIB, 7));
  await using client = await connect({ home: home.path });
  expect(await client.put(join(folder, 'big'), '')).toMatchObject({ failed: 0, files: 1 });
  expect(budget.most).toBeGreaterThan(0);
  expect(budget.most).toBeLessThanOrEqual(4 * MIB);
  await native.drain(0);
  rmSync(folder, { recursive: true });
});
