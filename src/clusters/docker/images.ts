/** Finds the image under test: given, official, pulled within a bound, or built here. Says which. */
import { withDeadline } from '../../core/bounded.ts';
import { OrdealError, describeError } from '../../core/errors.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { runRecipe } from './recipes.ts';

/** A registry that does not answer within this bound is taken to be out of reach. */
const pullStartTimeoutMs = 20_000;
/** Bound of a whole pull that has begun. */
const pullTimeoutMs = 300_000;

export const holderImage = 'ordeal/holder:1';
export const officialImage = (version: string): string => `apache/kafka:${version}`;
export const localImage = (version: string): string => `ordeal/kafka:${version}`;

export interface ResolvedImage {
  readonly reference: string;
  /** Content id, "sha256:…". */
  readonly id: string;
  readonly source: 'given' | 'given, pulled' | 'official' | 'official, pulled' | 'local build';
  /** Version of Kafka that the image names in its own metadata, or null. */
  readonly version: string | null;
}

export interface ImageRequest {
  /** `--image`; null: find one. */
  readonly image: string | null;
  readonly brokerVersion: string;
}

/** @throws OrdealError IMAGE_UNAVAILABLE, naming every road that was tried. */
export async function resolveImage(
  engine: Engine,
  request: ImageRequest,
  progress: (line: string) => void,
): Promise<ResolvedImage> {
  if (request.image !== null) return givenImage(engine, request.image, progress);
  const official = officialImage(request.brokerVersion);
  const present = await inspectImage(engine, official);
  if (present !== null) return { reference: official, source: 'official', ...present };
  const refusal = await tryPull(engine, official, progress);
  const pulled = refusal === null ? await inspectImage(engine, official) : null;
  if (pulled !== null) return { reference: official, source: 'official, pulled', ...pulled };
  progress(`image ${official}: not present, and not pullable (${refusal ?? 'pull left no image'})`);
  const local = localImage(request.brokerVersion);
  const found = await buildLocal(engine, local, request.brokerVersion, progress);
  return { reference: local, source: 'local build', ...found };
}

/** Makes sure that the holder's image is there. @returns its id. */
export async function ensureHolder(
  engine: Engine,
  progress: (line: string) => void,
): Promise<string> {
  const before = await inspectImage(engine, holderImage);
  if (before === null) {
    progress(`building ${holderImage} (its base may take a minute the first time)`);
    await runRecipe(engine, 'holder/build.sh', [holderImage]);
  }
  const after = before ?? (await inspectImage(engine, holderImage));
  if (after !== null) return after.id;
  throw new OrdealError(
    'IMAGE_UNAVAILABLE',
    `${holderImage} is missing after its build`,
    'run `bash docker/holder/build.sh` and read what it says',
  );
}

/** Id and version of an image that is present, or null. */
export async function inspectImage(
  engine: Engine,
  reference: string,
): Promise<{ readonly id: string; readonly version: string | null } | null> {
  try {
    const image = await engine.call(`inspecting image ${reference}`, () =>
      engine.docker.getImage(reference).inspect(),
    );
    return { id: image.Id, version: versionOf(image.Config) };
  } catch (error) {
    if (dockerStatus(error) === 404) return null;
    throw error;
  }
}

interface ImageConfig {
  readonly Env?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

function versionOf(config: ImageConfig | undefined): string | null {
  const fromEnv = config?.Env?.find((line) => line.startsWith('KAFKA_VERSION='))?.split('=')[1];
  return fromEnv ?? config?.Labels?.['org.opencontainers.image.version'] ?? null;
}

async function givenImage(
  engine: Engine,
  reference: string,
  progress: (line: string) => void,
): Promise<ResolvedImage> {
  const present = await inspectImage(engine, reference);
  if (present !== null) return { reference, source: 'given', ...present };
  const refusal = await tryPull(engine, reference, progress);
  const pulled = refusal === null ? await inspectImage(engine, reference) : null;
  if (pulled !== null) return { reference, source: 'given, pulled', ...pulled };
  throw new OrdealError(
    'IMAGE_UNAVAILABLE',
    `image ${reference} is not present and cannot be pulled: ${refusal ?? 'pull left no image'}`,
    'name an image that `docker images` lists, or leave --image out',
  );
}

async function buildLocal(
  engine: Engine,
  reference: string,
  version: string,
  progress: (line: string) => void,
) {
  const before = await inspectImage(engine, reference);
  if (before !== null) return before;
  progress(`building ${reference} from Maven Central (a minute or two the first time)`);
  await runRecipe(engine, 'broker/build.sh', [version, reference]);
  const after = await inspectImage(engine, reference);
  if (after !== null) return after;
  throw new OrdealError(
    'IMAGE_UNAVAILABLE',
    `${reference} is missing after its build`,
    `run \`bash docker/broker/build.sh ${version}\` and read what it says`,
  );
}

/** @returns null when the pull went through, else why not. */
async function tryPull(
  engine: Engine,
  reference: string,
  progress: (line: string) => void,
): Promise<string | null> {
  const { docker, clock } = engine;
  const begun = await withDeadline(clock, pullStartTimeoutMs, docker.pull(reference));
  if (begun.status === 'late') return `no answer of the registry within ${pullStartTimeoutMs} ms`;
  if (begun.status === 'failed') return describeError(begun.error);
  progress(`pulling ${reference}`);
  const stream = begun.value as NodeJS.ReadableStream & { destroy(): void };
  const finished = await withDeadline(
    clock,
    pullTimeoutMs,
    new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error: Error | null) => {
        if (error === null) resolve();
        else reject(error);
      });
    }),
  );
  if (finished.status === 'done') return null;
  stream.destroy();
  if (finished.status === 'failed') return describeError(finished.error);
  return `the pull did not end within ${pullTimeoutMs} ms`;
}
