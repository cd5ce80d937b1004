/** Habits: what the editor of a line asks of whoever knows more than keys: completion, and the lines typed earlier. Types only. */

/** What a TAB leads to. */
export interface Answer {
  /** What the line is to have from `start` to the cursor; undefined: leave it. */
  readonly text: string | undefined;
  readonly start: number;
  /** Lines to show above the prompt. */
  readonly above: readonly string[];
  /** To be answered with yes before they are shown; '': they are shown at once. */
  readonly question: string;
  /** A word behind the cursor, until the next key. */
  readonly hint: string;
}

export interface Habits {
  /** What is written behind a line that is not at its end when the prompt comes; one column. */
  readonly mark: string;
  /** Lines to stand above the next prompt; each is handed out once. */
  news(): readonly string[];
  /** What could follow `before`; `again` when TAB was the last key too. */
  complete(before: string, again: boolean): Promise<Answer>;
  /** Lines typed earlier, newest first. */
  history(): readonly string[];
  add(line: string): void;
}
