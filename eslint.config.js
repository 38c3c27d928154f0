import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/dist/', 'site/', 'coverage/', 'node_modules/', '**/node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  { languageOptions: { globals: globals.node } },
  {
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    // What comes from outside leaves through src/lib/cli/terminal/out.ts, where it is made harmless.
    files: ['src/**/*.ts'],
    // `exec` is bundled without the rest, and has a way out of its own; its worker answers `exec` alone.
    ignores: ['src/lib/cli/terminal/out.ts', 'src/lib/cli/exec/*', 'src/page/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[property.name='write'][object.property.name=/^std(out|err)$/]",
          message: 'print with src/lib/cli/terminal/out.ts, which makes text from outside harmless',
        },
        {
          selector: "MemberExpression[object.name='Error'][property.name='stackTraceLimit']",
          message: 'it holds for the whole process: other code reads traces',
        },
        {
          selector: "VariableDeclarator[init.name='process'] Property[key.name='stdout']",
          message: 'print with src/lib/cli/terminal/out.ts',
        },
        {
          selector: "ImportExpression[source.value='ora']",
          message: 'startSpinner of src/lib/cli/terminal/out.ts shows text from outside harmlessly',
        },
      ],
      'no-restricted-imports': ['error', { paths: ['ora'] }],
    },
  },
  { files: ['bin/*.js', '**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
