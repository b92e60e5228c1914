/** Finds or builds the images before any test, so that no test's time depends on whether the machine had them. */
import { createDockerCluster } from '../../src/clusters/docker/index.ts';
import { createWireAdmin } from '../../src/clients/wire/index.ts';
import { createRealClock } from '../../src/core/clock.ts';

export async function setup(): Promise<void> {
  const clock = createRealClock();
  const cluster = await createDockerCluster(
    {
      run: 'images-only',
      image: null,
      brokerVersion: '4.1.1',
      config: {},
      admin: (nodes) => createWireAdmin({ nodes, clock }),
    },
    (line) => {
      console.log(line);
    },
  );
  await cluster.remove();
}
