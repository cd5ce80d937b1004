/**
 * The line at a terminal: keys in, lines out. Between two lines the input is paused and the terminal in its ordinary
 * mode, so that ^C during a command is a signal and a child process can use the terminal.
 *
 * Editing is `node:readline`'s, which is given the keys one by one; those it has no good answer for are kept from it:
 * TAB, ^R, ^W, ^C, and what is pasted. Several pasted lines are never run unseen: each is shown at a prompt of its own.
 */
import { clearScreenDown, createInterface, cursorTo, emitKeypressEvents, moveCursor, type Interface, type Key } from 'node:readline';
import { PassThrough } from 'node:stream';
import { columnsOf, fit } from '../width.ts';
import type { Answer, Habits } from './habits.ts';
import { Hush, MAX_AHEAD } from './hush.ts';
import type { LineStreams } from './lines.ts';
import { MAX_PASTE, pastedLines } from './paste.ts';
import { Offer, showAbove } from './offer.ts';
import { redrawn, resizable } from './resizing.ts';
import { extend, foundBy, next, shorten, START, type Search } from './search.ts';
import { toOwnRow } from './unfinished.ts';

const [BRACKETS_ON, BRACKETS_OFF] = ['\u001b[?2004h', '\u001b[?2004l'];

interface Pressed { readonly text: string | undefined; readonly key: Key }

export class Editor {
  readonly #input: LineStreams['input'];
  readonly #output: LineStreams['output'];
  readonly #hush: Hush;
  readonly #habits: Habits | undefined;
  readonly #reader: Interface;
  readonly #keys: Pressed[] = [];
  readonly #pasted: string[] = [];
  #paste: string | undefined;
  #search: Search | undefined;
  #state: 'resting' | 'typing' | 'waiting' = 'resting';
  #wanted: ((line: string | undefined) => void) | undefined;
  #ended = false;
  #command = false;
  #question = false;
  /** Whether a question got ^C for an answer. */
  interrupted = false;
  #tabbed = false;
  #hinted = false;
  /** A list that the next key agrees to, or not. */
  #offer: Offer | undefined;

  constructor({ input, output }: LineStreams, habits?: Habits) {
    this.#input = input;
    this.#hush = new Hush(input);
    this.#output = output;
    this.#habits = habits;
    const silent = Object.assign(new PassThrough(), { isTTY: true });
    this.#reader = resizable(output, () => createInterface({ input: silent, output, terminal: true, historySize: 1_000, history: [...habits?.history() ?? []], completer: () => [[], ''] }), () => this.#resized());
    this.#reader.on('line', (line) => this.#hand(line));
    this.#reader.on('close', () => this.#end());
    this.#reader.on('history', (lines) => { lines.splice(0, Infinity, ...this.#remembered(lines[0])); });
    emitKeypressEvents(input);
    input.on('keypress', this.#pressed);
    input.on('end', this.#end);
    input.on('error', () => setImmediate(this.#end)); // a terminal that is closed; that it refuses to rest is told in the same way
    this.#rest();
  }

  /** The next line; undefined at the end of the input (^D). `command`: not an answer to a question, which nothing remembers. */
  next(prompt: string, command = true): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve(undefined);
      this.#wanted = resolve;
      this.#question = !command;
      this.interrupted = false;
      this.#command = command && this.#habits !== undefined;
      this.#state = 'typing';
      this.#hush.wake();
      if (this.#command) this.#output.write(BRACKETS_ON + toOwnRow(this.#habits!.mark, (this.#output as { columns?: number }).columns) + this.#habits!.news().map((line) => `${line}\n`).join(''));
      this.#reader.setPrompt(prompt);
      this.#reader.prompt();
      if (this.#command && this.#pasted.length > 0) this.#reader.write(this.#pasted.shift()!);
      this.#drain();
    });
  }

  /** Shows another prompt before the line that is being typed. */
  invite(prompt: string): void {
    if (this.#state === 'resting' || !this.#command) return;
    this.#withdraw();
    this.#reader.setPrompt(prompt);
    if (this.#search === undefined) this.#reader.prompt(true);
  }

  /** Keys are not shown, and wait for the next line, until it is disposed. */
  hush(): Disposable {
    return this.#hush.begin();
  }

  /** Gives the input back. */
  close(): void {
    this.#reader.close();
  }

  readonly #pressed = (text: string | undefined, key: Key): void => {
    if (this.#hush.signals(key)) this.#keys.length = 0; // as a terminal does
    else if (this.#state !== 'resting' || this.#keys.length < MAX_AHEAD) this.#keys.push({ text, key });
    this.#drain();
  };

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#rest();
    this.#ended = true;
    this.#input.off('keypress', this.#pressed);
    this.#input.off('end', this.#end);
    this.#reader.close();
    this.#wanted?.(undefined);
  };

  #resized(): void {
    this.#withdraw();
    if (this.#search !== undefined) this.#seek(this.#search);
    else if (this.#state !== 'resting') redrawn(this.#reader, process.env);
  }

  #rest(): void {
    if (this.#ended) return;
    if (this.#state !== 'resting' && this.#command) this.#output.write(BRACKETS_OFF);
    this.#state = 'resting';
    this.#hush.rest();
  }

  #hand(line: string | undefined): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    this.#rest();
    wanted?.(line);
  }

  /** ^D: no line. Another may be asked for all the same, as by whoever wants to know whether it was meant. */
  #leave(): void {
    this.#output.write('\n');
    this.#hand(undefined);
  }

  /** The history after a line: answers to questions are no commands to be found again. */
  #remembered(line: string | undefined): readonly string[] {
    if (this.#command && line !== undefined) this.#habits?.add(line);
    return this.#habits?.history() ?? [];
  }

  /** Keys in their order; those that come while a TAB is being answered, or a command runs, wait. */
  #drain(): void {
    while (this.#state === 'typing') {
      const pressed = this.#keys.shift();
      if (pressed === undefined) return;
      this.#take(pressed);
    }
  }

  #take({ text, key }: Pressed): void {
    if (this.#hinted) this.#reader.prompt(true);
    const offer = this.#offer;
    this.#offer = undefined;
    if (offer?.answer(text, key) === true) return;
    const again = this.#tabbed;
    [this.#hinted, this.#tabbed] = [false, false];
    if (this.#paste !== undefined || key.name === 'paste-start') return this.#collect(key);
    if (this.#search !== undefined && this.#searching(text, key, this.#search)) return;
    if (key.ctrl === true && key.name === 'c') return this.#question ? this.refuse('^C') : this.#drop();
    if (key.ctrl === true && key.name === 'd' && this.#reader.line === '') return this.#leave();
    if (!this.#command) this.#reader.write(text ?? '', key);
    else if (key.name === 'tab' && key.shift !== true) void this.#complete(again);
    else if (key.ctrl === true && key.name === 'r') this.#seek(START);
    else if (key.ctrl === true && key.name === 'w') this.#erase(/\S*\s*$/u.exec(this.#before)![0]);
    else if (key.ctrl !== true || key.name !== 's') this.#reader.write(text ?? '', key);
  }

  /** What is drawn unasked takes the place of a question. */
  #withdraw(): void {
    this.#offer?.decline();
    this.#offer = undefined;
  }

  get #before(): string {
    return this.#reader.line.slice(0, this.#reader.cursor);
  }

  get #columns(): number {
    return (this.#output as { columns?: number }).columns ?? 80;
  }

  #erase(text: string): void {
    for (const _ of text) this.#reader.write(null, { name: 'backspace' });
  }

  /** ^C: the line stays on the screen and is forgotten, pasted ones too; a new prompt follows below it. */
  #drop(): void {
    this.#pasted.length = 0;
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#output.write(`^C\n${'\n'.repeat(this.#reader.getCursorPos().rows)}`);
    this.#reader.write(null, { ctrl: true, name: 'u' });
    this.#reader.prompt();
  }

  /** Ends a question without an answer; `shown` says behind it why. */
  refuse(shown: string): void {
    if (this.#state !== 'typing') return;
    this.interrupted = true;
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#reader.write(null, { ctrl: true, name: 'u' });
    this.#output.write(`${shown}\n`);
    this.#hand(undefined);
  }

  async #complete(again: boolean): Promise<void> {
    this.#state = 'waiting';
    const before = this.#before;
    const answer = await this.#habits!.complete(before, again).catch((): Answer => ({ text: undefined, start: 0, above: [], question: '', hint: '' }));
    if (this.#ended) return;
    [this.#state, this.#tabbed] = ['typing', true];
    const { text, start, above, question, hint } = answer;
    if (text !== undefined) this.#replace(before.slice(start), text);
    if (question !== '') this.#offer = new Offer(this.#reader, this.#output, question, above);
    else if (above.length > 0) showAbove(this.#reader, this.#output, above);
    if (hint !== '') this.#hint(hint);
    if (text === undefined && above.length === 0 && hint === '') this.#output.write('\u0007');
    this.#drain();
  }

  /** `old` before the cursor becomes `text`; a space that is there already is not written twice. */
  #replace(old: string, text: string): void {
    const behind = this.#reader.line[this.#reader.cursor];
    const wanted = behind === undefined ? text : text.trimEnd();
    let same = 0;
    while (same < old.length && old[same] === wanted[same]) same += 1;
    if (/[\ud800-\udbff]/.test(old[same - 1] ?? '')) same -= 1;
    this.#erase(old.slice(same));
    if (same < wanted.length) this.#reader.write(wanted.slice(same));
  }

  #hint(text: string): void {
    const room = this.#columns - this.#reader.getCursorPos().cols - 2;
    if (this.#reader.cursor < this.#reader.line.length || room < 4) return;
    const shown = ` ${fit(text, room)}`;
    this.#output.write(shown);
    moveCursor(this.#output, -columnsOf(shown), 0);
    this.#hinted = true;
  }

  /** Several pasted lines come one at a time, each to be looked at. */
  #collect(key: Key): void {
    if (key.name === 'paste-start') this.#paste = '';
    else if (key.name !== 'paste-end') this.#paste = (this.#paste + (key.sequence ?? '')).slice(0, MAX_PASTE);
    if (key.name !== 'paste-end') return;
    const [first, ...more] = pastedLines(this.#paste!);
    this.#paste = undefined;
    this.#reader.write(first);
    this.#pasted.unshift(...more);
    if (more.length > 0) showAbove(this.#reader, this.#output, [fit(`${more.length} more pasted; Enter goes on, ^C drops them`, this.#columns - 1)]);
  }

  /** Whether the search took the key; one that it does not know ends it, and does what it does. */
  #searching(text: string | undefined, key: Key, search: Search): boolean {
    const lines = this.#habits!.history();
    const ctrl = key.ctrl === true;
    if (ctrl && (key.name === 'r' || key.name === 's')) this.#seek(next(lines, search, key.name === 'r' ? 1 : -1));
    else if (ctrl && (key.name === 'g' || key.name === 'c')) this.#settle(undefined);
    else if (key.name === 'backspace') this.#seek(shorten(lines, search));
    else if (text !== undefined && !ctrl && key.meta !== true && /^[^\u0000-\u001f\u007f-\u009f]+$/.test(text)) this.#seek(extend(lines, search, text));
    else {
      this.#settle(foundBy(lines, search));
      return key.name === 'escape' || key.name === 'tab';
    }
    return true;
  }

  /** Shows a search in place of the line, in one row. */
  #seek(search: Search): void {
    if (this.#search === undefined) this.#clear(this.#reader.getCursorPos().rows);
    this.#search = search;
    this.#clear(0);
    const head = `(${search.failed ? 'no other' : 'search'}) '${search.query}': `;
    this.#output.write(fit(head + (foundBy(this.#habits!.history(), search) ?? ''), this.#columns - 1));
  }

  #clear(rows: number): void {
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
  }

  /** Ends the search with a line; undefined: with the one that was there before. */
  #settle(line: string | undefined): void {
    this.#search = undefined;
    this.#clear(0);
    moveCursor(this.#output, 0, this.#reader.getCursorPos().rows);
    this.#reader.prompt(true);
    if (line === undefined) return;
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#reader.write(null, { ctrl: true, name: 'u' });
    this.#reader.write(line);
  }
}
