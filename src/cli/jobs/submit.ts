/** Submitting: a wish goes to the agent, and its number is told. */
import { Failure } from '../../errors.ts';
import type { Context } from '../command.ts';
import { openAgent } from './ask.ts';
import type { Wish } from './job.ts';
import { watchFor } from './notices.ts';
import { jobEvent, typedAs } from './show.ts';

/** Hands the wish to the agent, and says under which number: `[3] put big.iso :  started; jobs shows it`. */
export async function submit(context: Context, wish: Wish, became: string): Promise<void> {
  const { report, settings, spot } = context;
  using agent = await openAgent(settings.home, context.signal);
  const [job] = await agent.ask({ verb: 'add', wish });
  if (job === undefined) throw new Failure('INTERNAL', 'the agent for jobs gave no number');
  watchFor(context, job.number);
  await report.done(`[${job.number}] ${job.what}  ${became}; ${typedAs(spot, 'jobs')} shows it`, jobEvent(job));
}
