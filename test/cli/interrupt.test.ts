/** ^C: a command ends at once, whatever it waits for, says how it goes on, and the terminal is as it was. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { noise, plant } from '../e2e/trees.ts';
import { proxied } from './proxied.ts';

const MIB = 1 << 20;

const place = proxied();
const { open } = place;

test.each([
  ['a put whose socket is stuck', 'put big new', 'put big new', { up: 8 * MIB, hold: true }],
  ['a put of a folder whose socket is stuck', 'put tree new', 'put --update tree new', { up: 8 * MIB, hold: true }],
  ['a get from a server that has fallen silent', 'get big copy', 'get big copy', { down: 8 * MIB, hold: true }],
  ['a get of a folder', 'get tree copy', 'get tree copy', { down: 8 * MIB, hold: true }],
] as const)('^C ends %s without waiting for the connection, and tells the command that goes on', async (_, line, again, cut) => {
  for (const folder of [place.rig.local, place.rig.served]) plant(folder, { big: noise(64 * MIB), 'tree/one': 'one', 'tree/large': noise(64 * MIB) });
  place.proxy.cutAfter(cut);
  await using screen = open([]);
  await screen.see(/> $/);
  screen.enter(line);
  await place.proxy.held();
  await screen.see(/%/);
  const typed = performance.now();
  screen.type('\u0003');
  await screen.see(/interrupted[^]*> $/);
  // How long a person waits is told, and not judged: a busy machine takes as long as it takes.
  process.stdout.write(`interrupt: ${Math.round(performance.now() - typed)} ms from ^C to the prompt, ${line}\n`);
  expect(screen.lines.join('\n')).toContain(`interrupted; run "${again}" to resume`);
  // A connection that had to be given up first would be told as lost.
  expect(screen.lines.at(-1)).toBe('wherry test:/> ');
  // Of what only looks there is nothing to resume.
  screen.enter('pwd; stat big');
  await screen.see(/\n\/\n$/);
  screen.type('\u0003');
  await screen.see(/stat: interrupted\n.*> $/);
  await place.proxy.release();
  screen.enter(again);
  await screen.see(/kept from before[^]*> $/);
});

test('^C ends a command of the shell that is stuck with 130, and names its words with their flags and the server', async () => {
  plant(place.rig.local, { 'two words': noise(64 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = open(['put', '--no-sync', 'two words', 'test:new', '--deadline', '1h'], 200);
  await place.proxy.held();
  await screen.see(/%/);
  const typed = performance.now();
  screen.type('\u0003');
  expect(await screen.exit).toBe(130);
  process.stdout.write(`interrupt: ${Math.round(performance.now() - typed)} ms from ^C to the end of a command of the shell\n`);
  expect(screen.lines.join('\n')).toContain(`interrupted; run "wherry put --no-sync --deadline 1h 'two words' test:new" to resume`);
});

test('^C at a question is a no that ends the command, and leaves the terminal as it was', async () => {
  plant(place.rig.served, { 'one/file': '', 'two/file': '' });
  await using screen = open([]);
  await screen.see(/> $/);
  screen.enter('rm -r one two');
  await screen.see('[y/N/a/q] ');
  screen.type('y\u0003');
  await screen.see(/rm: interrupted\n.*> $/);
  screen.enter("!stty -a | grep -ow -e '-*icanon' -e '-*echo'");
  await screen.see(/\nicanon\necho\n.*> $/);
  screen.enter('ls');
  await screen.see('one/  two/');
});

test('^C at a question of the shell ends with 130, and so does a deadline with 12', async () => {
  plant(place.rig.served, { 'one/file': '', 'two/file': '' });
  await using asked = open(['rm', '-r', ':one', ':two']);
  await asked.see('[y/N/a/q] ');
  asked.type('\u0003');
  expect(await asked.exit).toBe(130);
  await using late = open(['rm', '-r', ':one', '--deadline', '2s']);
  await late.see('[y/N/a/q] ');
  expect(await late.exit).toBe(12);
  expect(late.lines.join('\n')).toContain('the deadline has passed');
});

test('a second ^C leaves at once with 130, also where the first has no effect', async () => {
  const signals = pathToFileURL(resolve(import.meta.dirname, '../../dist/cli/signals.js')).href;
  const program = `import { stopOnSignals } from '${signals}'; stopOnSignals(() => undefined).signal.addEventListener('abort', () => console.log('first')); setInterval(() => {}, 1000); console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  child.stdout.on('data', () => child.kill('SIGINT')); // once when it is ready, and once when it has heard the first
  expect(await exit).toEqual([130, null]);
});
