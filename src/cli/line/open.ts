/**
 * The prompt's line, put together: the editor with completion, history and what stands before the line; or, where
 * nobody types, the lines of a script and none of that.
 */
import type { Client } from '../../client/api.ts';
import { displayPath } from '../../path.ts';
import type { Command, Work } from '../command.ts';
import { failureLine } from '../report.ts';
import { complete } from './complete.ts';

import type { Habits } from './habits.ts';
import { History, historyPath } from './history.ts';
import { invitation } from './invitation.ts';
import type { Sources } from './kinds.ts';
import { Listings } from './listings.ts';
import { listLines, questionBefore } from './show.ts';
import { sourcesOf } from './sources.ts';
import { typedAt } from './typed.ts';
import { unfinishedMark } from './unfinished.ts';

export interface PromptLine {
  /** The next line; undefined at the end of the input. */
  next(): Promise<string | undefined>;
  /** To be called when a line has been run: what it may have changed is asked for again. */
  ran(line: string): void;
  close(): Promise<void>;
}

export async function openLine(work: Work, commands: readonly Command[]): Promise<PromptLine> {
  const { terminal } = work;
  if (terminal.canAsk) return openEditor(work, commands);
  const lines = await terminal.script();
  return { next: () => lines.next(), ran: () => {}, close: async () => lines.close() };
}

async function openEditor({ terminal, session, settings }: Work, commands: readonly Command[]): Promise<PromptLine> {
  const listings = new Listings((folder, signal) => session.client.list(`/${folder}`, { signal }));
  session.listings = listings;
  const history = await History.open(historyPath(session.client.server, settings.home), (failure) => terminal.say(failureLine('history', failure)));
  const sources = sourcesOf({ session, commands, listings, home: settings.home });
  const news: string[] = [];
  const editor = await terminal.editor({ news: () => news.splice(0), mark: unfinishedMark(process.env, terminal.isColoured), complete: answersOf(terminal, commands, sources), history: () => history.lines, add: (line) => history.add(line) });
  const standing = (lost: boolean) => invitation({ server: session.client.server.name ?? session.client.server.address, folder: displayPath(session.cwd), lost }, terminal.width, terminal.isColoured);
  let heard: Client | undefined;
  let lost = false;
  return {
    async next() {
      const { client } = session;
      // Listened to once for each connection, however many lines it lives for.
      if (client !== heard) void client.closed.then(() => {
        lost = session.client === client;
        if (lost && !session.ended) editor.invite(standing(true));
      });
      if (client !== heard) [heard, lost] = [client, false];
      await gather(news, { terminal, session, settings });
      await Promise.resolve(); // what is known to have ended by now has set `lost`
      const typed = editor.next(standing(lost));
      // Behind the prompt: what is typed ahead of it is echoed twice.
      if (!lost && client.server.rights.includes('list')) listings.prefetch(session.cwd);
      const line = await typed;
      // A command does not wait behind what was asked for in case of a TAB.
      listings.rest();
      return line;
    },
    ran(line) {
      if (!onlyLooks(line, commands)) listings.forget();
    },
    async close() {
      listings.rest();
      editor.close();
      await history.settled();
    },
  };
}

/** What is to be told above the next prompt; where nothing is drawn, it is said at once. */
async function gather(news: string[], work: Pick<Work, 'terminal' | 'session' | 'settings'>): Promise<void> {
  const lines = work.session.jobs === undefined ? [] : await (await import('../jobs/notices.ts')).notices(work);
  if (work.terminal.canRedraw) news.push(...lines);
  else for (const line of lines) work.terminal.say(line);
}

/** What TAB leads to, as it is to be shown. */
function answersOf(terminal: Work['terminal'], commands: readonly Command[], sources: Sources): Habits['complete'] {
  return async (before, all) => {
    const { text, start, matches, late } = await complete(before, commands, sources);
    const question = questionBefore(matches);
    const room = { width: terminal.width, rows: terminal.rows, all: all || question !== '' };
    return { text, start, question, above: matches.length === 0 ? [] : listLines(matches, room, terminal.paint), hint: late ? 'asking the server; TAB again' : '' };
  };
}

/** Whether a line changes nothing on the server, as far as can be told from its words; when in doubt, not. */
function onlyLooks(line: string, commands: readonly Command[]): boolean {
  if (line.trim() === '') return true;
  if (/[;&|!$`]/.test(line)) return false;
  const word = (typedAt(`${line} `)?.words[0] ?? '').toLowerCase();
  const command = commands.find(({ name, aliases }) => name === word || aliases.includes(word));
  return command !== undefined && command.needs.every((right) => right === 'list' || right === 'read');
}
