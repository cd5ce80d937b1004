/** Blame: which key of the configuration file it is about, when a server cannot run with what is settled although each value is as it should be. Pure. */
import type { Failure } from '../../errors.ts';
import type { ServeOptions } from '../config.ts';
import type { Key } from './table.ts';

export function keyBlamed({ code, path }: Failure, { state, metrics, listen = [] }: ServeOptions): Key {
  if (code === 'CONNECT') return 'listen';
  if (path === undefined) return 'folder';
  if (path === state) return 'state';
  if (path === metrics) return 'metrics.listen';
  return listen.includes(path) ? 'listen' : 'folder';
}
