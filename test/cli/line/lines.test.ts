import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Lines } from '../../../src/cli/line/lines.ts';

async function all(chunks: readonly string[]): Promise<string[]> {
  const input = new PassThrough();
  const lines = new Lines({ input });
  for (const chunk of chunks) input.write(chunk);
  input.end();
  const found: string[] = [];
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) found.push(line);
  return found;
}

describe('lines of a script', () => {
  test.each<[chunks: string[], lines: string[]]>([
    [['a\nb\n'], ['a', 'b']],
    [['a\r\nb'], ['a', 'b']],
    [['a', 'b\n', '\nc'], ['ab', '', 'c']],
    [[''], []],
    [['日本\n'], ['日本']],
  ])('%j are %j', async (chunks, lines) => {
    expect(await all(chunks)).toEqual(lines);
  });

  test('come in order however many arrive at once', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => `line ${index}`);
    expect(await all([`${many.join('\n')}\n`])).toEqual(many);
  });
});
