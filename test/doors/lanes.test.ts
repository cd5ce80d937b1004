import { describe, expect, test } from 'vitest';
import { type AccountLanes, type Joined, LaneBook } from '../../src/doors/lanes.ts';
import { parsePath } from '../../src/path.ts';
import type { Lane } from '../../src/transfer/lanes.ts';
import { LANE_KEY_BYTES } from '../../src/wire/messages.ts';

const key = (first: number): Uint8Array => new Uint8Array(LANE_KEY_BYTES).fill(first);

const PATH = parsePath('big');
const of = (book: LaneBook, account: string, session = 1, joined: (one: Joined) => void = () => {}): AccountLanes => book.of(account, session, joined);

describe('a transfer that lanes may join', () => {
  test('is found by its key, under its account and going its way, for as long as it runs', () => {
    const book = new LaneBook();
    const running = of(book, 'ada').open('put', PATH, key(1))!;
    expect(of(book, 'ada').find('put', key(1))).toBe(running.lanes);
    for (const [account, way, sought] of [['bob', 'put', key(1)], ['ada', 'put', key(2)], ['ada', 'get', key(1)], ['', 'put', key(1)]] as const) {
      expect(() => of(book, account).find(way, sought)).toThrow(expect.objectContaining({ code: 'NOTFOUND' }));
    }
    running[Symbol.dispose]();
    expect(() => of(book, 'ada').find('put', key(1))).toThrow(expect.objectContaining({ code: 'NOTFOUND' }));
  });

  test('is waited for by a lane that comes before its file is open, and no longer than it is there', async () => {
    const book = new LaneBook();
    const running = of(book, 'ada').open('put', PATH, key(1))!;
    const joining = of(book, 'ada').find('put', key(1)).join({} as Lane);
    const early = await Promise.race([joining.then(() => 'joined', () => 'refused'), new Promise((resolve) => { setImmediate(() => resolve('waits')); })]);
    expect(early).toBe('waits');
    running[Symbol.dispose]();
    await expect(joining).rejects.toMatchObject({ code: 'NOTFOUND' });
  });

  test('is none without a key', () => {
    expect(of(new LaneBook(), 'ada').open('get', PATH, undefined)).toBeUndefined();
  });

  test('keeps its key to itself, among those of its account', () => {
    const book = new LaneBook();
    using _first = of(book, 'ada').open('put', PATH, key(1));
    expect(() => of(book, 'ada').open('put', PATH, key(1))).toThrow(expect.objectContaining({ code: 'BUSY', retry: true }));
    using _other = of(book, 'bob').open('put', PATH, key(1));
    expect(of(book, 'bob').find('put', key(1))).not.toBe(of(book, 'ada').find('put', key(1)));
  });

  test('is told of with each lane that finds it: by the connection that it began on, its way and its path', () => {
    const book = new LaneBook();
    const told: Joined[] = [];
    using _running = of(book, 'ada', 5).open('get', PATH, key(1));
    const lane = of(book, 'ada', 7, (joined) => told.push(joined));
    lane.find('get', key(1));
    expect(() => lane.find('get', key(2))).toThrow();
    expect(told).toEqual([{ of: 5, way: 'get', path: 'big' }]);
  });
});
