/** What the tries of a job leave for the next one, and for how long. */
import { expect, test } from 'vitest';
import { Recall } from '../../../src/cli/jobs/recall.ts';

const MINUTE = 60_000;

test('the next try of a job has what the ones before left, other jobs have not', () => {
  const recall = new Recall();
  const first = recall.of(1, 0);
  first.sent.add('a pack');
  recall.ended(1, 5 * MINUTE);
  expect(recall.of(1, 14 * MINUTE)).toBe(first);
  expect(recall.of(2, 14 * MINUTE).sent.size).toBe(0);
});

test('what lies back ten minutes is forgotten, however long the try itself took', () => {
  const recall = new Recall();
  const first = recall.of(1, 0);
  recall.ended(1, 300 * MINUTE);
  expect(recall.of(1, 309 * MINUTE)).toBe(first);
  recall.ended(1, 320 * MINUTE);
  expect(recall.of(1, 330 * MINUTE)).not.toBe(first);
});

test('and so is that of a job that is over, and of the first of many', () => {
  const recall = new Recall();
  const over = recall.of(1, 0);
  recall.ended(1, 0);
  recall.forget(1);
  expect(recall.of(1, 0)).not.toBe(over);
  const oldest = recall.of(2, 0);
  for (let number = 3; number <= 15; number += 1) recall.of(number, 0);
  recall.ended(2, 0);
  expect(recall.of(2, 0)).not.toBe(oldest);
});
