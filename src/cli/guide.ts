/** help as a command: which part of the table is shown, to whom, and where. */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { shownWord, type Command, type Context } from './command.ts';
import { DONE } from './exits.ts';
import { allowed, commandHelp, existsAt, helpLines, paragraphs } from './help.ts';
import { sectionLines } from './manual/blocks.ts';
import { show } from './manual/pager.ts';
import { isShown, subjectsOf } from './manual/subjects.ts';
import { TOPICS, type Topic } from './manual/topics.ts';
import { closest } from '../suggest.ts';

type Asked = Pick<Context, 'terminal' | 'report' | 'settings' | 'session'>;

export async function help(context: Context, { words, flags }: { words: readonly string[]; flags: { man: boolean } }, commands: readonly Command[]): Promise<number> {
  const [word] = words;
  if (flags.man) {
    const { manPage } = await import('./manual/page.ts');
    const page = manPage(commands);
    await context.report.answer(page.trimEnd(), { event: 'manual', page });
    return DONE;
  }
  if (word === undefined) return showAll(context, commands);
  const name = word.toLowerCase();
  const topic = topicOf(words);
  if (topic !== undefined) {
    await show(context, sectionLines(topic, context.terminal.width), { event: 'help', name: topic.name, summary: topic.title });
    return DONE;
  }
  if (words.length > 1) throw new Failure('USAGE', `there is no topic ${printable(words.join(' '))}`, { hint: 'help takes one command or topic; help lists them' });
  // Help is given also for a command of the other place: who asks wants to know.
  const command = commands.find((one) => isShown(one) && (one.name === name || one.aliases.includes(name)));
  if (command === undefined) {
    const near = closest(word, [...commands.filter(isShown).flatMap((one) => [one.name, ...one.aliases]), ...TOPICS.map((one) => one.name)]);
    throw new Failure('USAGE', `there is no command ${shownWord(word)}`, { hint: near === undefined ? 'help lists all of them' : `did you mean ${near}?` });
  }
  return showCommand(context, command, commands);
}

/** By its name, which may be followed by more, or by its title. A topic goes before a command: exit is also another word for bye, which the topic says. */
function topicOf(words: readonly string[]): Topic | undefined {
  const typed = words.join(' ').toLowerCase();
  return TOPICS.find(({ name, title }) => name === words[0]!.toLowerCase() || title.toLowerCase() === typed);
}

/** All about one command, as it is typed where the person is. */
export async function showCommand(asked: Asked, command: Command, commands: readonly Command[]): Promise<number> {
  const here = asked.session === undefined ? 'shell' : 'prompt';
  const place = command.where === 'both' ? here : command.where;
  const { name, summary } = command;
  await show(asked, commandHelp(command, place, asked.session?.client.server.rights, asked.terminal.width, commands), { event: 'help', name, summary });
  return DONE;
}

async function showAll(asked: Asked, commands: readonly Command[]): Promise<number> {
  const { session, terminal } = asked;
  const place = session === undefined ? 'shell' : 'prompt';
  const rights = session?.client.server.rights;
  const lists = subjectsOf(commands.filter((command) => existsAt(command, place)))
    .flatMap((subject) => [`${subject.title}:`, ...helpLines(subject.commands, place, rights, terminal.width), '']);
  await show(asked, [...paragraphs(preface(place), terminal.width), ...lists, ...paragraphs(ending(place), terminal.width)], {
    event: 'help', topics: TOPICS.map(({ name }) => name),
    commands: commands.filter(isShown).map((command) => ({ name: command.name, summary: command.summary, allowed: allowed(command, rights) })),
  });
  return DONE;
}

function preface(place: 'shell' | 'prompt'): string[] {
  if (place === 'prompt') return [];
  return ['wherry moves files between machines: encrypted, verified, atomic, resumable.', '', 'usage: wherry COMMAND [WORDS]', ''];
}

function ending(place: 'shell' | 'prompt'): string[] {
  const topics = TOPICS.map(({ name }) => name).join(', ');
  if (place === 'prompt') return ['help COMMAND shows its flags and an example; help TOPIC is about one of: ' + topics + '.', '!COMMAND runs a command here.'];
  return [`A place on a server is [NAME]:PATH; without a NAME it is the default one. wherry help COMMAND shows flags and examples; wherry help TOPIC is about one of: ${topics}.`];
}
