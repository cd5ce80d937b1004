/**
 * Leaving the prompt while jobs run: they go on without it, and a person is asked whether that is meant. And coming to it: what an
 * earlier agent left unfinished goes on.
 */
import type { Context, Work } from '../command.ts';
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { plural } from '../measures.ts';
import { openAgent, unfinished } from './ask.ts';
import type { Job } from './job.ts';

/** Whether the session may end. A batch is not asked: its jobs go on. */
export async function mayLeave({ terminal, settings }: Pick<Work, 'terminal' | 'settings'>): Promise<boolean> {
  if (!terminal.canAsk || settings.noInput || settings.json) return true;
  const jobs = await active(settings.home);
  if (jobs.length === 0) return true;
  terminal.say(`${plural(jobs.length, 'job')} ${jobs.length === 1 ? 'goes' : 'go'} on without this prompt`);
  const answer = await choice(terminal);
  if (answer === 'pause' || answer === 'kill') await order(settings.home, jobs, terminal, answer);
  return answer !== 'stay';
}

type Answer = 'keep' | 'pause' | 'kill' | 'stay';

/** What may be typed, as a whole or its beginning; Enter alone, and the end of the input, keep them running. */
const ANSWERS: readonly (readonly [word: string, answer: Answer])[] = [['keep running', 'keep'], ['pause', 'pause'], ['end', 'kill'], ['stay', 'stay'], ['cancel', 'stay']];

/** Whoever mistypes has not said that the session may end. */
async function choice(terminal: Work['terminal']): Promise<Answer> {
  for (;;) {
    const typed = (await terminal.ask('[k]eep running (default), [p]ause, [e]nd them, [s]tay: ')).trim().toLowerCase();
    const found = ANSWERS.find(([word]) => word.startsWith(typed));
    if (found !== undefined) return found[1];
  }
}

/** Also what is ended loses nothing that was sent: the same command again goes on. */
async function order(home: string | undefined, jobs: readonly Job[], terminal: Work['terminal'], verb: 'pause' | 'kill'): Promise<void> {
  using agent = await openAgent(home);
  for (const { number, what } of jobs) {
    // One may have ended while the question stood there.
    await agent.ask({ verb, number }).catch((error: unknown) => { if (Failure.from(error).code !== 'NOTFOUND') throw error; });
    terminal.say(verb === 'pause' ? `[${number}] paused; wherry bg ${number} lets it go on` : printable(`[${number}] ${what}  killed; the same command again goes on where it was`));
  }
}

async function active(home: string | undefined): Promise<readonly Job[]> {
  // Whoever cannot reach the agent must be able to leave all the same.
  const jobs = await unfinished(home).catch(() => []);
  return jobs.filter(({ state }) => state !== 'paused');
}

/** Lets unfinished jobs go on, and says so. A new prompt must not fail because of them. */
export async function wake({ terminal, settings }: Pick<Context, 'terminal' | 'settings'>): Promise<void> {
  try {
    const jobs = (await unfinished(settings.home)).filter(({ state }) => state !== 'paused');
    if (jobs.length > 0 && !settings.quiet) terminal.say(`${plural(jobs.length, 'job')} under way; jobs shows ${jobs.length === 1 ? 'it' : 'them'}`);
  } catch (error) {
    terminal.say(`jobs: ${Failure.from(error).message}`, true);
  }
}
