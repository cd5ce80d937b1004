import { describe, expect, test } from 'vitest';
import { awaited, Wait, Waits, type Cause, type Limit } from '../../src/session/waits.ts';

/** Clocks that stand still but for what a test makes pass. */
class Hands {
  readonly #time = { now: 5_000, busy: 70, computed: 300 };
  readonly waits = new Waits({ now: () => this.#time.now, busy: () => this.#time.busy, computed: () => this.#time.computed });

  pass(ms: number, { busy = 0, computed = 0 } = {}): void {
    this.#time.now += ms;
    this.#time.busy += busy;
    this.#time.computed += computed;
  }

  /** Waits for each for so long, one after the other, and says what the limit was. */
  limitOf(waited: readonly (readonly [Cause | undefined, number])[], load: { busy?: number; computed?: number } = {}): Limit | undefined {
    const wait = new Wait(this.waits);
    for (const [cause, ms] of waited) {
      wait.for(cause);
      this.pass(ms);
    }
    wait.for(undefined);
    this.pass(0, load);
    return this.waits.limit();
  }
}

describe('the limit of a transfer is', () => {
  test.each(['disk', 'network', 'server', 'peer'] as const)('the %s when it waited for that most of the time', (cause) => {
    expect(new Hands().limitOf([[cause, 501], [undefined, 499]])).toBe(cause);
  });

  test('not named when nothing had more than half of the time', () => {
    expect(new Hands().limitOf([['disk', 500], ['network', 500]])).toBeUndefined();
    expect(new Hands().limitOf([['disk', 300], [undefined, 700]])).toBeUndefined();
  });

  test('the other side in general when network and server have most of it together', () => {
    expect(new Hands().limitOf([['network', 300], ['server', 300], [undefined, 400]])).toBe('peer');
  });

  test('the CPU when this thread was busy, whatever it seemed to wait for', () => {
    expect(new Hands().limitOf([['network', 900], [undefined, 100]], { busy: 950, computed: 950 })).toBe('cpu');
    expect(new Hands().limitOf([[undefined, 1000]], { busy: 950, computed: 500 })).toBe('cpu');
    expect(new Hands().limitOf([[undefined, 1000]], { busy: 800, computed: 800 })).toBeUndefined();
  });

  test('the disk when reads in this thread keep it busy, and the CPU when a thread that reads computes', () => {
    expect(new Hands().limitOf([['disk', 1000]], { busy: 1000, computed: 100 })).toBe('disk');
    expect(new Hands().limitOf([['disk', 1000]], { busy: 100, computed: 1000 })).toBe('cpu');
  });

  test('not known before a second has passed, and that of the last whole second after it', () => {
    const hands = new Hands();
    expect(hands.limitOf([['disk', 999]])).toBeUndefined();
    expect(hands.limitOf([['disk', 1]])).toBe('disk');
    expect(hands.limitOf([['network', 999]])).toBe('disk');
    expect(hands.limitOf([['network', 1]])).toBe('network');
    expect(hands.limitOf([[undefined, 1000]])).toBeUndefined();
  });

  test('seen while the wait for it goes on', () => {
    const hands = new Hands();
    new Wait(hands.waits).for('server');
    for (const _ of [1, 2]) {
      hands.pass(1000);
      expect(hands.waits.limit()).toBe('server');
    }
  });
});

describe('of several that wait at once', () => {
  test('each has its share of the moment', () => {
    const hands = new Hands();
    for (const cause of ['disk', 'disk', 'network'] as const) new Wait(hands.waits).for(cause);
    hands.pass(1000);
    expect(hands.waits.limit()).toBe('disk');
  });

  test.each(['network', 'server'] as const)('those for the other side in general are for the %s when one of them is', (known) => {
    const hands = new Hands();
    for (const cause of ['peer', 'peer', 'peer', known] as const) new Wait(hands.waits).for(cause);
    hands.pass(1000);
    expect(hands.waits.limit()).toBe(known);
  });
});

test('steps that are awaited count until they come, and not while they are used', async () => {
  const hands = new Hands();
  async function* steps(): AsyncGenerator<number> {
    for (const step of [1, 2]) {
      hands.pass(300);
      yield step;
    }
    hands.pass(10);
  }
  const seen: number[] = [];
  for await (const step of awaited(steps(), 'disk', hands.waits)) {
    seen.push(step);
    hands.pass(150);
  }
  hands.pass(90);
  expect([seen, hands.waits.limit()]).toEqual([[1, 2], 'disk']); // 610 of 1000
  hands.pass(1000);
  expect(hands.waits.limit()).toBeUndefined();
});
