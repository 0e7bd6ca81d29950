import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['bundle/'] },
  js.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } }, rules: { eqeqeq: ['error', 'always', { null: 'ignore' }], 'prefer-const': 'error' } },
  { files: ['*.mjs', '**/test/**'], languageOptions: { globals: { ...globals.node } } },
];
