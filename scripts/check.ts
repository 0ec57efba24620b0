/** `npm run check`: types, lint, format, unused code, documents and unit tests, side by side. */
import { hygieneChecks, runChecks, unitTests } from './hygiene.ts';

const results = await runChecks([...hygieneChecks, unitTests]);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
