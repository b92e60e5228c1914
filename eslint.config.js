import tseslint from 'typescript-eslint';

/** DESIGN.md section 7: clock and random are parameters, so these names are errors outside the adapters. */
const clockAndRandom = {
  'no-restricted-globals': [
    'error',
    { name: 'performance', message: 'Take a Clock parameter (src/core/clock.ts).' },
    { name: 'setTimeout', message: 'Take a Clock parameter (src/core/clock.ts).' },
    { name: 'setInterval', message: 'Take a Clock parameter (src/core/clock.ts).' },
    { name: 'setImmediate', message: 'Take a Clock parameter (src/core/clock.ts).' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take a Clock parameter.' },
    { object: 'Math', property: 'random', message: 'Take a Random parameter.' },
    {
      object: 'crypto',
      property: 'randomUUID',
      message: 'Derive ids from the seed or the run id.',
    },
    { object: 'AbortSignal', property: 'timeout', message: 'Take a Clock parameter.' },
    { object: 'process', property: 'hrtime', message: 'Take a Clock parameter.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({
        name,
        message: 'Take a Clock parameter.',
      })),
    },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: 'Take a Clock parameter.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist/', 'store/', 'coverage/', 'node_modules/', 'histories/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['.dependency-cruiser.cjs', 'scripts/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: false, named: true, defaultFrom: true } },
      ],
      'max-lines': ['error', { max: 500 }],
    },
  },
  {
    files: ['src/**/*.ts', 'nemeses/**/*.ts', 'checkers/**/*.ts'],
    rules: {
      ...clockAndRandom,
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    // The real clock lives in core; adapters of real systems hold library callbacks that need real timers.
    files: ['src/core/**/*.ts', 'src/clusters/**/*.ts', 'src/clients/**/*.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    // Hot code: `!` on a typed-array read is allowed (STYLE.md rule 9).
    files: ['src/history/**/*.ts', 'checkers/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['**/*.js', '**/*.cjs', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
