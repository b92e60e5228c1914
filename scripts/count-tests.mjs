/**
 * Adds up vitest's JSON reports and prints the line that CI reads. A report that is missing (a step before the tests
 * failed) counts as one failure, and so does a step that failed although no test did.
 * Usage: count-tests.mjs DIRECTORY REPORT… STEPS_FAILED
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, ...rest] = process.argv.slice(2);
const stepsFailed = rest.pop() !== '0';
let passed = 0;
let failed = 0;
for (const name of rest) {
  try {
    const report = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    console.log(
      `${name}: ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${report.numPendingTests} skipped`,
    );
    passed += report.numPassedTests;
    failed +=
      report.numFailedTests + report.numFailedTestSuites * (report.numFailedTests === 0 ? 1 : 0);
    if (report.numPassedTests === 0) failed += 1;
  } catch (error) {
    console.log(`${name}: no report (${error.message})`);
    failed += 1;
  }
}
if (stepsFailed && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
