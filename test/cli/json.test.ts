/** --json of every command: what it writes to standard output are objects, one a line, each with its `event`, and nothing stands on standard error. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { Rig, type Ran } from '../e2e/rig.ts';
import { plant } from '../e2e/trees.ts';

/** Lines of the shell, in an order in which each can do what it says. */
const IN_SHELL: Readonly<Record<string, readonly string[]>> = {
  put: ['put new :', 'put -v folder :', 'put -n new :'], mput: ['mput new old'], get: ['get :there', 'get -v :folder got'], mget: ['mget :there'], change: ['change :there elsewhere', 'change :elsewhere there'],
  undo: ['undo -n :'], ls: ['ls :', 'ls -l :'], edit: ['edit -n :there'], mkdir: ['mkdir :made'], rmdir: ['rmdir :made'], chmod: ['chmod 600 :there'], stat: ['stat :there'], du: ['du :'],
  df: ['df :'], find: ['find :'], hash: ['hash :there'], rm: ['rm :old', 'rm -r :folder'], queue: ['queue put new :', 'queue'], jobs: ['jobs', 'jobs -l 1'], wait: ['wait 1'], fg: ['fg 1'],
  pause: ['pause 1'], bg: ['bg 1'], kill: ['kill 1'], symlink: ['symlink a b'], help: ['help', 'help put', 'help exit', '--help', 'put --help'], version: ['version', '--version', '--json --version'],
  invite: ['invite', 'invite list'], devices: ['devices'], account: ['account add ann --rights rw', 'account list', 'account show ann'], token: ['token create --account ann', 'token list'],
  bans: ['bans'], config: ['config example', 'config check'], service: ['service'], reload: ['reload'], upgrade: ['upgrade --state nowhere'], audit: ['audit verify', 'audit show'], metrics: ['metrics'],
  health: ['health'], doctor: ['doctor --quick'], completion: ['completion bash'], join: ['join'], serve: ['serve nowhere'], agent: ['agent --stop'], connect: ['connect --no-rc'],
};
/** Of the prompt; those of the shell are tried there too. */
const AT_PROMPT: Readonly<Record<string, readonly string[]>> = {
  reput: ['reput new'], reget: ['reget new'], cd: ['cd folder', 'cd ..'], pwd: ['pwd'], lcd: ['lcd .'], lpwd: ['lpwd'], lls: ['lls', 'lls -l'], progress: ['progress', 'progress'], cache: ['cache', 'cache flush'],
  alias: ["alias ll 'ls -lh'", 'alias', 'll'], unalias: ['unalias ll'], bookmark: ['bookmark mark', 'bookmark'], open: ['open nowhere'], source: ['source lines'], bye: ['bye'],
};
/** These answer with bytes, or for the scripts of a shell. */
const BYTES = ['cat', 'more', '__complete'];

/** Commands of the owner, about the server of these tests. */
const OWNED = new Set(['invite', 'devices', 'account', 'token', 'bans', 'reload', 'audit', 'metrics', 'health']);
/** With nothing to list, or nothing to say. */
const SILENT = new Set(['queue', 'bans', 'agent --stop']);

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  plant(rig.local, { new: 'new', old: 'old', lines: 'pwd\n', 'folder/one': 'one' });
  plant(rig.served, { there: 'there', old: 'old', 'folder/one': 'one' });
});
afterAll(async () => {
  await rig.run(['agent', '--stop']);
  await rig[Symbol.asyncDispose]();
});

function checkObjects({ stdout, stderr }: Ran, line: string): void {
  expect(stderr, line).toBe('');
  for (const told of stdout.split('\n').slice(0, -1)) expect(JSON.parse(told) as unknown, line).toMatchObject({ event: expect.any(String) as string });
}

test('every command is tried, or known to answer with bytes', () => {
  const known = [...Object.keys(IN_SHELL), ...Object.keys(AT_PROMPT), ...BYTES];
  expect(COMMANDS.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
});

describe('in the shell', () => {
  test.each(Object.entries(IN_SHELL))('%s', async (name, lines) => {
    for (const line of lines) {
      const ran = await rig.run([...line.split(' '), '--json', ...(OWNED.has(name) ? ['--state', rig.state] : [])], { input: 'pwd\n' });
      checkObjects(ran, line);
      if (!SILENT.has(line)) expect(ran.stdout, line).not.toBe('');
    }
  });
});

describe('at the prompt', () => {
  const shared = COMMANDS.filter(({ name, where }) => where === 'both' && !BYTES.includes(name)).map(({ name }) => [name, IN_SHELL[name]!] as const);
  test.each([...shared, ...Object.entries(AT_PROMPT)])('%s', async (_, lines) => {
    for (const line of lines.filter((one) => !one.includes('--version'))) {
      const typed = line.startsWith('--') ? line.slice(2) : line.replaceAll(' :', ' ');
      checkObjects(await rig.run(['connect', '--json', '--no-rc'], { input: `${typed}\n` }), typed);
    }
  });
});
