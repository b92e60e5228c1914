/** Where the checkout or the installed package keeps docker/, and how its scripts are run. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { OrdealError } from '../../core/errors.ts';
import type { Engine } from './engine.ts';

/** debootstrap, jars and build together take about a minute; a slow mirror takes longer. */
const buildTimeoutMs = 900_000;

/** The docker/ folder, from src/ and from dist/ alike. */
function recipesDirectory(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(at, 'docker');
    if (existsSync(join(candidate, 'broker', 'build.sh'))) return candidate;
    const parent = dirname(at);
    if (parent === at) {
      throw new OrdealError(
        'IMAGE_UNAVAILABLE',
        'the docker/ folder with the recipes of the images is missing from this installation',
        'pass --image with an image that is present, or use a complete checkout',
      );
    }
    at = parent;
  }
}

/** Runs docker/<script> against the same engine as the harness. @throws OrdealError IMAGE_UNAVAILABLE */
export async function runRecipe(
  engine: Engine,
  script: string,
  parameters: readonly string[],
): Promise<void> {
  const directory = recipesDirectory();
  const result = await execa('bash', [join(directory, script), ...parameters], {
    env: { DOCKER_HOST: engine.endpoint },
    timeout: buildTimeoutMs,
    reject: false,
    stdin: 'ignore',
    all: true,
  });
  if (result.exitCode === 0) return;
  const tail = (result.all || result.shortMessage || '').split('\n').slice(-12).join('\n');
  throw new OrdealError(
    'IMAGE_UNAVAILABLE',
    `docker/${script} ${parameters.join(' ')} failed:\n${tail}`,
    'install what `ordeal doctor` names, or pass --image with an image that is present',
  );
}
