/**
 * Health: whether a server can do its work at the moment, and if not, what is in the way.
 *
 * Each check is a plain yes or no with a reason.
 */

export interface Check { readonly name: 'listening' | 'folder' | 'draining' | 'audit'; readonly ok: boolean; readonly message: string }
export interface Health { readonly ready: boolean; readonly checks: readonly Check[] }

export interface HealthOptions {
  /** Why the served folder cannot be used; an empty text when it can. */
  folder(): Promise<string>;
  /** Whether it takes connections. */
  isListening(): boolean;
  isDraining(): boolean;
  /** Whether the audit can be written, and how many of its records are there no more; undefined: there is none. */
  audit(): { readonly works: boolean; readonly gone: number } | undefined;
}

/** A function that looks. */
export function healthOf({ folder, isListening, isDraining, audit }: HealthOptions): () => Promise<Health> {
  return async () => {
    const why = await folder();
    const checks: Check[] = [
      { name: 'listening', ok: isListening(), message: isListening() ? 'it takes connections' : 'it takes no connections' },
      { name: 'draining', ok: !isDraining(), message: isDraining() ? 'it is stopping' : 'it is not stopping' },
      { name: 'folder', ok: why === '', message: why === '' ? 'the served folder is at its place and can be read' : why },
      auditCheck(audit()),
    ];
    return { ready: checks.every(({ ok }) => ok), checks };
  };
}

/** What is gone keeps nobody from being served, and stays gone until the next start: it is said, and does not make the server unfit. */
function auditCheck(audit: ReturnType<HealthOptions['audit']>): Check {
  if (audit === undefined) return { name: 'audit', ok: true, message: 'there is none' };
  const written = audit.works ? 'it can be written' : 'it cannot be written';
  const gone = audit.gone === 0 ? '' : `; ${audit.gone} of its records are not where they were written: see "wherry audit verify"`;
  return { name: 'audit', ok: audit.works, message: written + gone };
}
