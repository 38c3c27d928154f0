#!/usr/bin/env node
// Writes docs/commands.md from oclif's manifest, which the build makes; with --check it only says whether the page is as it would write it.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${root}/docs/commands.md`;
const { commands } = JSON.parse(await readFile(`${root}/oclif.manifest.json`, 'utf8'));

const filled = (text, id) => text.replaceAll('<%= config.bin %>', 'llmkube').replaceAll('<%= command.id %>', id);
/** A text in a cell of a table. */
const cell = (text) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '\\<').trim();

function value({ type, options, helpValue, name }) {
  if (type === 'boolean') return '';
  if (options) return options.join('\\|');
  return cell(helpValue ?? name.toUpperCase().replaceAll('-', '_'));
}

function flagRow(flag) {
  const { name, char, type, allowNo, env, required, aliases = [] } = flag;
  const spelled = [
    `\`--${type === 'boolean' && allowNo ? '[no-]' : ''}${name}\``,
    ...(char ? [`\`-${char}\``] : []),
    ...aliases.map((alias) => `\`--${alias}\``),
  ];
  const about = [
    flag.summary ?? flag.description ?? '',
    ...(required ? ['(required)'] : []),
    ...(flag.default === undefined || flag.default === false ? [] : [`[default: ${flag.default}]`]),
  ].join(' ');
  return `| ${spelled.join(', ')} | ${value(flag)} | ${env ? `\`${env}\`` : ''} | ${cell(about)} |`;
}

function flagTables(flags) {
  const shown = Object.values(flags).filter(({ hidden }) => !hidden);
  const groups = [...new Set(shown.map(({ helpGroup }) => helpGroup ?? 'FLAGS'))];
  return groups.map((group) => {
    const rows = shown.filter(({ helpGroup = 'FLAGS' }) => helpGroup === group).map(flagRow);
    const title = group[0] + group.slice(1).toLowerCase();
    return `### ${title}\n\n| flag | value | environment | |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
  });
}

function section(command) {
  const id = command.id.replaceAll(':', ' ');
  const args = Object.values(command.args).map(({ name, required }) => {
    const word = name.toUpperCase();
    return required ? word : `[${word}]`;
  });
  const usages = [command.usage ?? ['<%= command.id %>', ...args, '[FLAGS]'].join(' ')].flat();
  const argRows = Object.values(command.args).map(
    ({ name, description = '' }) => `- \`${name.toUpperCase()}\`: ${cell(description)}`,
  );
  const examples = (command.examples ?? []).map((example) =>
    filled(typeof example === 'string' ? example : example.command, id),
  );
  return [
    `## llmkube ${id}`,
    filled(command.summary ?? '', id),
    `\`\`\`sh\n${usages.map((usage) => `llmkube ${filled(usage, id)}`).join('\n')}\n\`\`\``,
    filled(command.description ?? '', id),
    argRows.join('\n'),
    ...flagTables(command.flags),
    ...(examples.length === 0 ? [] : [`Examples:\n\n\`\`\`sh\n${examples.join('\n')}\n\`\`\``]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const shown = Object.values(commands)
  .filter(({ hidden }) => !hidden)
  .sort((a, b) => (a.id < b.id ? -1 : 1));
const links = shown.map(({ id, summary, description }) => {
  const name = id.replaceAll(':', ' ');
  return `- [\`${name}\`](#llmkube-${name.replaceAll(' ', '-')}): ${cell(summary ?? description ?? '')}`;
});
const text = [
  '# Commands',
  'Written by `npm run docs:reference`. What each exit code means is in [exit-codes.md](exit-codes.md); a flag wins over its environment variable.',
  links.join('\n'),
  ...shown.map(section),
].join('\n\n');
const page = await format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' });

if (!process.argv.includes('--check')) await writeFile(PAGE, page);
else if ((await readFile(PAGE, 'utf8').catch(() => '')) !== page) {
  console.error('docs/commands.md is not what the commands are now: npm run docs:reference');
  process.exitCode = 1;
}
