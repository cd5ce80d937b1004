/** service: prints the systemd unit of a server from its configuration file. Writes nothing, starts nothing. */
import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { serversFolder } from '../server/config.ts';
import { parseListen } from '../server/listen.ts';
import { readSettings } from '../server/settings/file.ts';
import { settle } from '../server/settings/settle.ts';
import { unitFor } from '../server/unit.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { fileMeant, planFor } from './serving.ts';

/** Below it, listening takes a right of root. */
const FIRST_FREE_PORT = 1024;

export async function service({ report }: Context, { flags: { user }, words }: { flags: { user: string | undefined }; words: readonly string[] }): Promise<number> {
  const file = await fileMeant(words[0]);
  const { dir, values: { state, listen = [], grace } } = planFor(settle({}, await readSettings(file)), file);
  if (state === undefined) throw new Failure('USAGE', `${printable(file)} does not say where the state folder is`, { path: file, who: 'here', hint: `write it there, as in state = "/var/lib/wherry": a service has no home folder, and ${printable(serversFolder())} is yours` });
  const owner = await ownerOf(state);
  // Whoever has the state folder already runs it already; root is nobody that a service should be.
  const name = user ?? (owner === undefined || owner === 'root' ? 'wherry' : owner);
  if (!/^([a-z_][a-z0-9_-]{0,31}|\d{1,10})$/.test(name)) throw new Failure('USAGE', `"${printable(name)}" is not the name of a user`, { who: 'here', hint: 'for example --user wherry' });
  const unit = unitFor({
    program: [process.execPath, process.argv[1] ?? ''], file, user: name, owner: owner === name ? undefined : owner, folder: dir, state, graceMs: grace!,
    isLowPort: listen.some((one) => { const { port } = parseListen(one); return port > 0 && port < FIRST_FREE_PORT; }),
  });
  await report.answer(unit.trimEnd(), { event: 'unit', unit });
  return DONE;
}

/** The name of the user whose folder it is, or the number where that has no name; undefined where there is no folder yet. */
async function ownerOf(folder: string): Promise<string | undefined> {
  const uid = await stat(folder).then((about) => about.uid, () => undefined);
  if (uid === undefined || process.getuid === undefined) return undefined;
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return users.split('\n').map((line) => line.split(':')).find((fields) => fields[2] === String(uid))?.[0] ?? String(uid);
}
