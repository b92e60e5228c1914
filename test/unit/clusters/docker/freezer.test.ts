import { describe, expect, it } from 'vitest';
import { cgroupPaths, frozenByKernel } from '../../../../src/clusters/docker/freezer.ts';

describe('cgroupPaths', () => {
  it('finds the freezer of version 1, also where controllers share a hierarchy', () => {
    expect(cgroupPaths('8:pids:/docker/abc\n7:freezer:/docker/abc\n0::/')).toEqual({
      freezer: '/docker/abc',
      unified: '/',
    });
    expect(cgroupPaths('3:cpu,freezer:/x').freezer).toBe('/x');
  });

  it('finds the only path of version 2', () => {
    expect(cgroupPaths('0::/system.slice/docker-abc.scope\n')).toEqual({
      freezer: null,
      unified: '/system.slice/docker-abc.scope',
    });
  });
});

describe('frozenByKernel', () => {
  it('says nothing of a process that does not exist', () => {
    expect(frozenByKernel(2 ** 30, 'abc')).toBeNull();
  });

  it('says nothing of a process that is not the container', () => {
    expect(frozenByKernel(process.pid, 'f'.repeat(64))).toBeNull();
  });
});
