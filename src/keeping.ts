/** Keeping: how long what arrived of an unfinished transfer is kept, on a server and beside what was to be fetched. It is told to the person whose upload was cut, so both ends know it. */

/** A part that nobody continued for a week will not be continued. Older ones go when the server is started, and here with the next get to the same folder. */
export const PART_DAYS = 7;
