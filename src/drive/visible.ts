/**
 * Visible: what of a listing an account is shown, and what of a tree it is sent. Pure.
 *
 * A name shows where the folder it is in may be listed and the account has any right to what it names: what somebody is given
 * nothing of does not show. Below a folder that may not be listed nothing shows, since nobody walks there; it may still be asked
 * for by its path. Entries that are counted but not named are nobody's secret.
 */
import { may } from '../access/rules.ts';
import type { Territory } from '../access/territory.ts';
import type { Entry } from '../entry.ts';
import { below, isWithin, parentOf, type RemotePath } from '../path.ts';
import type { ListPage, Usage } from '../store/vault.ts';

/** The pages of a listing of `top` with what shows; entries are named by their path below `top`. */
export async function* visible(territory: Territory, top: RemotePath, pages: AsyncIterable<ListPage>): AsyncGenerator<ListPage> {
  const shows = shown(territory, top);
  for await (const page of pages) yield { ...page, entries: page.entries.filter(shows) };
}

/** Counts what shows, of a folder; `alive` is asked with each page. */
export async function visibleUsage(territory: Territory, top: RemotePath, pages: AsyncIterable<ListPage>, alive: () => void): Promise<Usage> {
  const sum = { files: 0, folders: 1, bytes: 0 };
  for await (const { entries } of visible(territory, top, pages)) {
    alive();
    for (const { kind, size } of entries) {
      if (kind === 'folder') sum.folders += 1;
      if (kind !== 'file') continue;
      sum.files += 1;
      sum.bytes += size;
    }
  }
  return sum;
}

/** The paths below `top`, seen from it, that are not sent along with it. */
export function unsent(territory: Territory, top: RemotePath): readonly RemotePath[] {
  return territory.bordersBelow(top).filter((border) => !may(territory.at(border), 'pack')).map((border) => (top === '' ? border : border.slice(top.length + 1)) as RemotePath);
}

function shown(territory: Territory, top: RemotePath): (entry: Entry) => boolean {
  return ({ name }) => {
    const path = below(top, name as RemotePath);
    if (territory.at(path).length === 0) return false;
    for (let folder = parentOf(path); folder !== top && isWithin(folder, top); folder = parentOf(folder)) {
      if (!may(territory.at(folder), 'list')) return false;
    }
    return true;
  };
}
