/** The files that say what was decided: enough to run it again. */
import type { RunOptions } from './options.ts';

export const optionsFile = 'options.json';
export const scheduleFile = 'schedule.json';

export function decisionFiles(
  options: RunOptions,
): readonly { readonly name: string; readonly text: string }[] {
  return [
    { name: optionsFile, text: `${JSON.stringify(options, null, 2)}\n` },
    { name: scheduleFile, text: `${JSON.stringify(options.schedule, null, 2)}\n` },
    { name: 'seed.txt', text: `${options.seed}\n` },
  ];
}
