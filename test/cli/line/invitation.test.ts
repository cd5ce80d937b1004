import { expect, test } from 'vitest';
import { invitation } from '../../../src/cli/line/invitation.ts';
import { loadWidths } from '../../../src/cli/width.ts';

await loadWidths();

test.each([
  [{ server: 'lab', folder: '/photos', lost: false }, 80, 'wherry lab:/photos> '],
  [{ server: 'lab', folder: '/photos', lost: true }, 80, 'wherry lab:/photos (connection lost)> '],
  [{ server: 'lab', folder: '/photos/2026/summer', lost: false }, 40, 'lab:…/2026/summer> '],
  [{ server: 'lab', folder: '/a/very-long-name-of-a-folder', lost: false }, 40, 'lab:…/very-lo…lder> '],
])('%j in %d columns is %j', (standing, width, shown) => {
  expect(invitation(standing, width, false)).toBe(shown);
});

test('leaves half of the line to type in, whatever the names are, and has no escapes without colours', () => {
  for (const folder of ['/', `/${'日本'.repeat(40)}`, `/${'x'.repeat(200)}`]) {
    for (const width of [40, 80]) {
      const shown = invitation({ server: 'a-server-with-a-long-name', folder, lost: true }, width, false);
      expect(shown.length).toBeLessThanOrEqual(width / 2);
      expect(shown).not.toContain('\u001b');
    }
  }
});
