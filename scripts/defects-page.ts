/**
 * Prints docs/defects.md.
 *
 *     npm run build && node dist/scripts/defects-page.js > docs/defects.md && npx prettier --write docs/defects.md
 */
import { defectsText } from './defects-text.ts';

process.stdout.write(defectsText());
