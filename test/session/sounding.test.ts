import { expect, test } from 'vitest';
import { Sounding } from '../../src/session/sounding.ts';

/** A sounding whose questions are kept, and a listener that always wonders. */
function open(): { sounding: Sounding; told: boolean[]; question: () => Promise<number>; close: () => void } {
  const questions: number[] = [];
  let asked = (): void => {};
  const sounding = new Sounding((token) => {
    sounding.moved(); // the question is a frame too
    questions.push(token);
    asked();
  });
  const told: boolean[] = [];
  const listener = { wondering: true, tell: () => { told.push(sounding.still); } };
  sounding.add(listener);
  const question = async (): Promise<number> => {
    if (questions.length === 0) await new Promise<void>((resolve) => { asked = resolve; });
    return questions.shift()!;
  };
  return { sounding, told, question, close: () => sounding.delete(listener) };
}

test('a question that is answered while nothing moves says that all is still, until something moves', async () => {
  const { sounding, told, question, close } = open();
  sounding.moved();
  sounding.answered(await question());
  expect([sounding.still, told]).toEqual([true, [true]]);
  sounding.moved();
  expect([sounding.still, told]).toEqual([false, [true, false]]);
  close();
});

test('an answer after something moved says nothing, and the next question is asked', async () => {
  const { sounding, told, question, close } = open();
  const first = await question();
  sounding.moved();
  sounding.answered(first);
  expect([sounding.still, told]).toEqual([false, []]);
  const second = await question();
  expect(second).toBeGreaterThan(first);
  sounding.answered(second);
  expect(sounding.still).toBe(true);
  close();
});

test('answers to questions of others, and answers nobody asked for, say nothing', async () => {
  const { sounding, question, close } = open();
  sounding.answered(0);
  const token = await question();
  for (const other of [0, token - 1, token + 1]) sounding.answered(other);
  expect(sounding.still).toBe(false);
  sounding.answered(token);
  expect(sounding.still).toBe(true);
  close();
});

test('a trip takes as long as the answer to its own question, whatever else is asked and moves', async () => {
  const tokens: number[] = [];
  const sounding = new Sounding((token) => tokens.push(token));
  const [first, second] = [sounding.trip(), sounding.trip()];
  expect(new Set(tokens).size).toBe(2);
  sounding.moved();
  sounding.answered(7);
  sounding.answered(tokens[1]!);
  expect(await Promise.race([first.then(() => 'first'), second.then(() => 'second')])).toBe('second');
  sounding.answered(tokens[0]!);
  expect(await first).toBeGreaterThanOrEqual(await second);
  expect(sounding.still).toBe(false);
});
