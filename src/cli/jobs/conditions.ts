/**
 * Conditions: what a try at a job may replace, by the answers that go with it and by what is there now.
 *
 * At each try the sources are compared anew. What was agreed to is replaced, and so is what is the same, as an earlier try has
 * left it; all else stays, and what nobody was asked about fails by name.
 */
import type { Client, Plan, TransferOptions } from '../../client/api.ts';
import { ready as digestReady } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import { MAX_LEFT } from '../../left.ts';
import { readMarks } from './answers.ts';
import type { Wish } from './job.ts';

/** What a try may replace. */
export interface Conditions extends Pick<TransferOptions, 'ifAbsent' | 'replaceable' | 'leave'> {
  /** How many files have stayed by now because of an answer. */
  readonly stayed: () => number;
}

/** By the answers of a job, and by what is there now. */
export async function conditionsOf(client: Client, wish: Wish, signal: AbortSignal, say: (line: string) => void): Promise<Conditions> {
  const { sources, ifAbsent, answers } = wish;
  if (answers === undefined) return { ifAbsent, stayed: () => 0 };
  await digestReady();
  const plans = await planned(client, wish, signal, say);
  const replaceable = new Map<string, ReadonlySet<string>>();
  const stays = new Map<string, { readonly isDeclined: (path: string) => boolean; readonly same: ReadonlySet<string> }>();
  for (const [index, source] of sources.entries()) {
    const plan = plans?.find((one) => one.source === source);
    const [isAgreed, isDeclined] = [readMarks(answers[index]?.replace ?? ''), readMarks(answers[index]?.leave ?? '')];
    const agreed = plan?.replaced.map(({ path }) => path).filter(isAgreed) ?? [];
    replaceable.set(source, new Set([...agreed, ...(plan?.same ?? [])].slice(0, MAX_LEFT)));
    stays.set(source, { isDeclined, same: new Set(plan?.same) });
  }
  let stayed = 0;
  const leave = (source: string, path: string): boolean => {
    const known = stays.get(source);
    const isMeant = plans === undefined || known?.isDeclined(path) === true;
    if (isMeant) stayed += 1;
    return isMeant || known?.same.has(path) === true;
  };
  return { ifAbsent: true, replaceable, leave, stayed: () => stayed };
}

/** undefined: there is too much to be compared, and all that is there stays. */
async function planned(client: Client, { verb, sources, target, exclude, follow, update }: Wish, signal: AbortSignal, say: (line: string) => void): Promise<readonly Plan[] | undefined> {
  try {
    return await client.plan(verb, sources, target, { exclude, follow, update, signal });
  } catch (error) {
    if (Failure.from(error).code !== 'LIMIT') throw error;
    say('there is too much to be compared; what is there is left as it is');
    return undefined;
  }
}
