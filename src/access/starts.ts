/**
 * Starts: how many exchanges about a spoken code may begin, and whose turn it is. Pure, but for the clock.
 *
 * An exchange takes some milliseconds of computing before anybody has confirmed anything, and costs no try, so that it is what somebody who wants to
 * keep a server busy would ask for; and a code is for one person, who types it once or twice. So there are few a second in all, and few of one network.
 * What there is is kept in three shares, of which none can use up another: for networks from which somebody has signed in lately, for
 * others of a local network, which codes are meant for, and for the rest of the world, who may come by address. Knows nothing of codes.
 */
import { Allowance } from '../allowance.ts';
import { Allowances, type Pace } from '../allowances.ts';
import { isLocal } from '../network.ts';

/** All of a share, and one network of it. At some 8 ms each that is a twentieth of a processor, if all are used up for good. */
const SHARES = {
  known: { all: { atOnce: 60, perSecond: 3 }, each: { atOnce: 40, perSecond: 1 } }, // a class behind one address of which all try
  local: { all: { atOnce: 20, perSecond: 2 }, each: { atOnce: 6, perSecond: 0.2 } }, // all tries of a code twice over, and then one every 5 s
  far: { all: { atOnce: 6, perSecond: 0.5 }, each: { atOnce: 3, perSecond: 0.1 } }, // all tries of a code
} as const satisfies Record<string, { readonly all: Pace; readonly each: Pace }>;
type Share = keyof typeof SHARES;

/** Where somebody comes from. */
export interface From {
  readonly address: string;
  /** Whether somebody has signed in from there lately. */
  readonly known: boolean;
}

export class Starts {
  readonly #shares: Readonly<Record<Share, Allowance>>;
  readonly #networks: Allowances;

  /** `clock` in milliseconds. */
  constructor(clock = () => performance.now()) {
    const all = (share: Share): Allowance => new Allowance(SHARES[share].all.atOnce, SHARES[share].all.perSecond, clock);
    this.#shares = { known: all('known'), local: all('local'), far: all('far') };
    this.#networks = new Allowances(clock);
  }

  /** Takes one. Or says who had too many: that network, or all of its share together. */
  take({ address, known }: From): 'taken' | 'too many of one' | 'too many' {
    const share = shareOf(address, known);
    if (!this.#networks.take(share, address, SHARES[share].each)) return 'too many of one';
    return this.#shares[share].take() ? 'taken' : 'too many';
  }
}

function shareOf(address: string, known: boolean): Share {
  if (known) return 'known';
  return isLocal(address) ? 'local' : 'far';
}
