/** `npm run build`: compiles `src` to `dist`, whatever was there before, and marks the command executable. */
import { build } from './prepare.mjs';

build();
