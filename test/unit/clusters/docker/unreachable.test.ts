import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRealClock } from '../../../../src/core/clock.ts';
import {
  cleanDocker,
  createDockerCluster,
  diagnoseDocker,
} from '../../../../src/clusters/docker/index.ts';

const clock = createRealClock();

describe('without an engine', () => {
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ordeal-no-engine-'));
    vi.stubEnv('DOCKER_HOST', `unix://${directory}/docker.sock`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  it('says at once that none answers, where, and what to do next', async () => {
    const started = clock.nowNs();
    await expect(cleanDocker()).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
      exitCode: 255,
      message: expect.stringContaining(`${directory}/docker.sock`) as string,
      next: expect.stringContaining('scripts/docker-engine.sh') as string,
    });
    expect((clock.nowNs() - started) / 1e9).toBeLessThan(3);
  });

  it('a cluster is refused before anything is made', async () => {
    const options = {
      run: 'none',
      image: null,
      brokerVersion: '4.1.1',
      admin: () => {
        throw new Error('nobody may ask for an admin port here');
      },
    };
    await expect(createDockerCluster(options, () => undefined)).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
    });
  });

  it('an engine that accepts and says nothing is given up within its bound', async () => {
    const server = createServer();
    server.listen(join(directory, 'docker.sock'));
    await once(server, 'listening');
    const started = clock.nowNs();
    await expect(cleanDocker()).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
      message: expect.stringContaining('no answer within') as string,
    });
    expect((clock.nowNs() - started) / 1e9).toBeLessThan(6);
    server.close();
  });

  it('doctor answers with rows instead of throwing', async () => {
    const rows = await diagnoseDocker();
    const engine = rows.find((row) => row.check === 'engine');
    expect(engine).toMatchObject({ ok: false });
    expect(engine?.next).not.toBe('');
    expect(rows.map((row) => row.check)).toContain('memory');
  });
});

describe('a run id that cannot name a container', () => {
  it.each(['', 'a', '-a', 'a b', 'a/b', 'x'.repeat(52)])('"%s" is refused', async (run) => {
    const options = {
      run,
      image: null,
      brokerVersion: '4.1.1',
      admin: () => {
        throw new Error('nobody may ask for an admin port here');
      },
    };
    await expect(createDockerCluster(options, () => undefined)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    });
  });
});
