import xterm from '@xterm/headless';
import { beforeAll, describe, expect, test } from 'vitest';
import { NOTHING, redraw, type Drawn } from '../../src/cli/region.ts';
import { loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

/** A terminal that is given what `redraw` says, and what is on its glass. */
class Glass {
  readonly #terminal: xterm.Terminal;
  #drawn: Drawn = NOTHING;

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  }

  async draw(rows: readonly string[], above = ''): Promise<string[]> {
    const text = redraw(this.#drawn, rows, this.#terminal.cols, above.replaceAll('\n', '\r\n')).replaceAll(/(?<!\r)\n/g, '\r\n');
    this.#drawn = rows.length === 0 ? NOTHING : { rows, columns: this.#terminal.cols };
    return this.write(text);
  }

  write(text: string): Promise<string[]> {
    return new Promise((done) => this.#terminal.write(text, () => done(this.rows)));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  get rows(): string[] {
    const { active } = this.#terminal.buffer;
    const all = Array.from({ length: this.#terminal.rows }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '');
    return all.join('\n').trimEnd().split('\n');
  }
}

describe('a region of rows', () => {
  test('is drawn below what was there, changes in place, grows, shrinks and goes', async () => {
    const glass = new Glass(40, 10);
    await glass.write('said before\r\n');
    expect(await glass.draw(['one', 'two'])).toEqual(['said before', 'one', 'two']);
    expect(await glass.draw(['one', 'other'])).toEqual(['said before', 'one', 'other']);
    expect(await glass.draw(['1', 'other', 'three'])).toEqual(['said before', '1', 'other', 'three']);
    expect(await glass.draw(['1'])).toEqual(['said before', '1']);
    await glass.draw([]);
    expect(await glass.write('after')).toEqual(['said before', 'after']);
  });

  test('stays below lines that are said meanwhile, also where the terminal scrolls', async () => {
    const glass = new Glass(40, 4);
    await glass.draw(['total', '  a']);
    for (const line of ['1', '2', '3', '4']) await glass.draw(['total', '  a'], `${line}\n`);
    expect(glass.rows).toEqual(['3', '4', 'total', '  a']);
    expect(await glass.draw(['total', '  b'])).toEqual(['3', '4', 'total', '  b']);
  });

  test('leaves nothing of itself when the terminal becomes narrower, with wide and combining characters too', async () => {
    const glass = new Glass(40, 10);
    await glass.write('said before\r\n');
    await glass.draw(['total 日本語日本語日本語日本語', '  e\u0301e\u0301e\u0301e\u0301 and much that follows', '  last']);
    glass.resize(20, 10);
    expect(await glass.draw(['total', '  é', '  last'])).toEqual(['said before', 'total', '  é', '  last']);
    glass.resize(60, 10);
    expect(await glass.draw(['total', '  wider'])).toEqual(['said before', 'total', '  wider']);
  });

  test('writes nothing where nothing changed, and else only the rows that did', () => {
    const drawn = { rows: ['one', 'two', 'three'], columns: 40 };
    expect(redraw(drawn, drawn.rows, 40)).toBe('');
    expect(redraw(drawn, ['one', 'TWO', 'three'], 40)).not.toMatch(/one|three/);
  });

  test('hides the cursor while it stands, and gives it back when it goes', () => {
    expect(redraw(NOTHING, ['one'], 40)).toContain('\u001b[?25l');
    expect(redraw({ rows: ['one'], columns: 40 }, [], 40)).toContain('\u001b[?25h');
  });
});
