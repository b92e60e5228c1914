/** The directions of DESIGN.md section 3. A row says what a folder may import besides itself. */
const folders = {
  core: { path: '^src/core/', may: [] },
  history: { path: '^src/history/', may: ['^src/core/'] },
  spi: { path: '^src/spi/', may: ['^src/core/', '^src/history/'] },
  'kafka-protocol': { path: '^src/kafka-protocol/', may: ['^src/core/'] },
  generators: { path: '^src/generators/', may: ['^src/core/', '^src/history/', '^src/spi/'] },
  workloads: { path: '^src/workloads/', may: ['^src/core/', '^src/history/', '^src/spi/'] },
  clients: {
    path: '^src/clients/',
    may: ['^src/core/', '^src/history/', '^src/spi/', '^src/kafka-protocol/'],
  },
  clusters: {
    path: '^src/clusters/',
    may: ['^src/core/', '^src/history/', '^src/spi/', '^src/kafka-protocol/'],
  },
  nemeses: { path: '^nemeses/', may: ['^src/core/', '^src/history/', '^src/spi/'] },
  checkers: { path: '^checkers/', may: ['^src/core/', '^src/history/', '^src/spi/'] },
  run: {
    path: '^src/run/',
    may: ['^src/core/', '^src/history/', '^src/spi/', '^src/generators/'],
  },
  report: { path: '^src/report/', may: ['^src/core/', '^src/history/', '^src/spi/'] },
};

const thirdParty = {
  kafkajs: '^src/clients/kafkajs/',
  dockerode: '^src/clusters/docker/',
  execa: '^src/clusters/',
  commander: '^src/cli/',
  zod: '^src/',
  'pure-rand': '^src/core/',
};

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-orphan-dependency', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(folders).map(([name, { path, may }]) => ({
      name: `${name}-imports`,
      severity: 'error',
      comment: `${name} may import only ${may.length === 0 ? 'itself' : may.join(', ')}`,
      from: { path },
      to: { path: '^(src|nemeses|checkers)/', pathNot: [path, ...may] },
    })),
    {
      name: 'checkers-are-pure',
      severity: 'error',
      from: { path: '^checkers/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'] },
    },
    {
      name: 'history-for-checkers-is-pure',
      severity: 'error',
      comment: 'what checkers import must not pull in node: built-ins',
      from: { path: '^checkers/' },
      to: { reachable: true, path: '^node:|^(fs|net|zlib|crypto|path|os|child_process)$' },
    },
    ...Object.entries(thirdParty).map(([name, path]) => ({
      name: `${name}-behind-one-folder`,
      severity: 'error',
      from: { pathNot: path },
      to: { path: `node_modules/${name}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
