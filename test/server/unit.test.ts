import { describe, expect, test } from 'vitest';
import { unitFor, type UnitOptions } from '../../src/server/unit.ts';
import { Failure } from '../../src/errors.ts';

const USUAL: UnitOptions = { program: ['/usr/bin/node', '/usr/lib/wherry.js'], file: '/etc/wherry/wherry.toml', user: 'wherry', folder: '/srv/files', state: '/var/lib/wherry', graceMs: 10_000, isLowPort: false };

/** What the unit sets a key to, each time. */
function settings(unit: string, key: string): string[] {
  return unit.split('\n').filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

describe('a unit', () => {
  const unit = unitFor(USUAL);

  test('starts this program with the configuration file, as a user of its own', () => {
    expect(settings(unit, 'ExecStart')).toEqual(['/usr/bin/node /usr/lib/wherry.js serve --config /etc/wherry/wherry.toml']);
    expect(settings(unit, 'User')).toEqual(['wherry']);
    expect(settings(unit, 'Type')).toEqual(['notify']);
    expect(settings(unit, 'NotifyAccess')).toEqual(['all']);
  });

  test('can write to the folder and the state, and to nothing else', () => {
    expect(settings(unit, 'ProtectSystem')).toEqual(['strict']);
    expect(settings(unit, 'StateDirectory')).toEqual(['wherry']);
    expect(settings(unit, 'ReadWritePaths')).toEqual(['/srv/files']);
    expect(settings(unitFor({ ...USUAL, state: '/srv/state' }), 'ReadWritePaths')).toEqual(['/srv/files /srv/state']);
    expect(settings(unitFor({ ...USUAL, state: '/srv/state' }), 'StateDirectory')).toEqual([]);
  });

  test('sees home folders only where something of it lies there', () => {
    expect(settings(unit, 'ProtectHome')).toEqual(['yes']);
    for (const more of [{ folder: '/home/ann/share' }, { program: ['/root/.nvm/node', '/usr/lib/wherry.js'] }]) expect(settings(unitFor({ ...USUAL, ...more }), 'ProtectHome')).toEqual(['read-only']);
    expect(settings(unitFor({ ...USUAL, folder: '/homes' }), 'ProtectHome')).toEqual(['yes']);
  });

  test('has the folder for temporary files of everybody where something of it lies there, and says why', () => {
    expect(settings(unit, 'PrivateTmp')).toEqual(['yes']);
    for (const more of [{ folder: '/tmp/share' }, { state: '/var/tmp/state' }, { file: '/tmp/wherry.toml' }]) {
      const seen = unitFor({ ...USUAL, ...more });
      expect(settings(seen, 'PrivateTmp')).toEqual(['no']);
      expect(seen).toContain('# Something of it lies below /tmp');
    }
    expect(settings(unitFor({ ...USUAL, folder: '/tmpfiles' }), 'PrivateTmp')).toEqual(['yes']);
  });

  test('says whose the state folder is, where that is another user', () => {
    expect(unit).not.toContain('chown');
    expect(unitFor({ ...USUAL, owner: 'root' })).toContain('# The state folder is that of root as yet. Before the first start: chown -R wherry /var/lib/wherry\nUser=wherry\n');
  });

  test('has no capability, but for a low port', () => {
    expect(settings(unit, 'CapabilityBoundingSet')).toEqual(['']);
    expect(settings(unit, 'AmbientCapabilities')).toEqual([]);
    const low = unitFor({ ...USUAL, isLowPort: true });
    for (const key of ['CapabilityBoundingSet', 'AmbientCapabilities']) expect(settings(low, key)).toEqual(['CAP_NET_BIND_SERVICE']);
  });

  test('waits for a stop longer than the server may take', () => {
    expect(settings(unit, 'TimeoutStopSec')).toEqual(['40']);
    expect(settings(unitFor({ ...USUAL, graceMs: 300_500 }), 'TimeoutStopSec')).toEqual(['331']);
  });

  test('names paths so that systemd reads them back', () => {
    const odd = unitFor({ ...USUAL, folder: '/srv/my "files" 100%', file: '/etc/$HOME/a b.toml' });
    expect(settings(odd, 'ReadWritePaths')).toEqual([String.raw`"/srv/my \"files\" 100%%"`]);
    expect(settings(odd, 'ExecStart')).toEqual(['/usr/bin/node /usr/lib/wherry.js serve --config "/etc/$$HOME/a b.toml"']);
    expect(settings(unitFor({ ...USUAL, folder: '/srv/$x' }), 'ReadWritePaths')).toEqual(['/srv/$x']);
  });

  test('refuses a path that would begin a line of its own', () => {
    expect(() => unitFor({ ...USUAL, folder: '/srv/x\nUser=root' })).toThrow(Failure);
  });
});
