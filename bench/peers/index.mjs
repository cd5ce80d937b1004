/** The tools, by name. One more is a file beside this one and a line here. */
import { open as curl } from './curl.mjs';
import { open as lftp } from './lftp.mjs';
import { open as pump } from './pump.mjs';
import { open as rclone } from './rclone.mjs';
import { open as rsync } from './rsync.mjs';
import { open as rsyncd } from './rsyncd.mjs';
import { open as scp } from './scp.mjs';
import { open as sftp } from './sftp.mjs';
import { open as tar } from './tar.mjs';
import { open as wherry } from './wherry.mjs';

/** @type {Readonly<Record<string, import('../measure.mjs').Open>>} */
export const PEERS = { wherry, sftp, scp, rsync, rsyncd, tar, rclone, lftp, curl, pump };
