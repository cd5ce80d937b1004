import { describe, expect, test } from 'vitest';
import { Seating } from '../../src/server/seating.ts';

describe('the place of a connection', () => {
  test('is that of the other connections of its address', () => {
    const seating = new Seating(3);
    const first = seating.seat('192.0.2.1').place;
    seating.seat('192.0.2.2');
    expect([seating.seat('192.0.2.1').place, seating.seat('192.0.2.1').place]).toEqual([first, first]);
  });

  test('is another one for every new address, as long as there are free ones', () => {
    const seating = new Seating(4);
    const places = Array.from({ length: 8 }, (_, host) => seating.seat(`192.0.2.${host}`).place);
    expect(places.toSorted((one, other) => one - other)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('is where the fewest connections are', () => {
    const seating = new Seating(2);
    const busy = seating.seat('192.0.2.1').place;
    for (let more = 0; more < 5; more += 1) seating.seat('192.0.2.1');
    expect(Array.from({ length: 6 }, (_, host) => seating.seat(`198.51.100.${host}`).place)).toEqual(Array(6).fill(1 - busy));
  });

  test('changes from one to the next where all are free', () => {
    const seating = new Seating(3);
    const places = Array.from({ length: 6 }, (_, host) => {
      const seat = seating.seat(`192.0.2.${host}`);
      seat.leave();
      return seat.place;
    });
    expect(places).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('is the same when an address comes back', () => {
    const seating = new Seating(2);
    const first = seating.seat('192.0.2.1');
    seating.seat('192.0.2.2').leave();
    first.leave();
    for (let more = 0; more < 5; more += 1) expect(seating.seat('192.0.2.1').place).toBe(first.place);
  });

  test('counts for one that left once, however often that is told', () => {
    const seating = new Seating(2);
    const [one, two] = [seating.seat('192.0.2.1'), seating.seat('192.0.2.2')];
    for (let again = 0; again < 3; again += 1) one.leave();
    expect(seating.seat('192.0.2.3').place).toBe(one.place);
    expect(seating.seat('192.0.2.4').place).toBe(two.place);
  });

  test('is forgotten for the address that left first, when 10,000 others have left after it', () => {
    const seating = new Seating(2);
    const place = (address: string): number => {
      const seat = seating.seat(address);
      seat.leave();
      return seat.place;
    };
    const early = place('early');
    const others = (count: number, name: string): void => { for (let host = 0; host < count; host += 1) place(`${name} ${host}`); };
    others(9_999, 'host');
    const neighbour = seating.seat('host 1'); // at the other place than the one before it, so that one place is busier
    const busier = seating.seat(neighbour.place === early ? 'host 1' : 'host 0');
    expect(busier.place).toBe(early);
    expect(place('early')).toBe(early);
    others(10_000, 'other');
    seating.seat('host 0');
    expect(place('early')).toBe(1 - early);
  });
});
