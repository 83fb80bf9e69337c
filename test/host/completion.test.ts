/** Completion in real shells on a terminal: a person types the beginning of a word and presses Tab. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { atomic } from '../support/atomic.ts';
import { buildImage } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { runOnTerminal, type TerminalRun } from './support/terminal.ts';

const scripts = fileURLToPath(new URL('../../packaging/completion', import.meta.url));
const lineFile = '/run/completed-line';
const TAB = '\t';
/** Bound in each shell to a command that writes the command line to `lineFile`. */
const REPORT = '\u000f';
/** Removes the typed line. */
const CLEAR = '\u0005\u0015';
const LEFT = '\u001b[D';
const READY = 'ready> ';

interface Shell {
  readonly name: string;
  /** Starts the shell with the prompt `READY`. */
  readonly start: string;
  /** How it writes a space in a word. */
  readonly blank: string;
}

const shells: readonly Shell[] = [
  { name: 'bash', start: 'bash --noprofile --rcfile /run/shells/bashrc -i', blank: '\\ ' },
  {
    name: 'bash with bash-completion',
    start: 'bash --noprofile --rcfile /run/shells/bashrc-completion -i',
    blank: '\\ ',
  },
  { name: 'zsh', start: 'ZDOTDIR=/run/shells zsh -i', blank: '\\ ' },
  { name: 'fish', start: 'XDG_CONFIG_HOME=/run/shells fish -i', blank: '\\ ' },
];

const bashrc = `PS1='${READY}'
bind 'set bell-style none'
report() { printf '%s' "$READLINE_LINE" >${lineFile}.new && mv ${lineFile}.new ${lineFile}; }
bind -x '"\\C-o": report'
`;
const zshrc = `PROMPT='${READY}'
unsetopt zle_bracketed_paste prompt_sp
autoload -Uz compinit && compinit -u -D
report() { print -rn -- "$BUFFER" >${lineFile}.new && mv ${lineFile}.new ${lineFile} }
zle -N report && bindkey '^O' report && bindkey '^U' kill-whole-line
`;
const fishConfig = `function fish_prompt
    echo -n '${READY}'
end
function report
    commandline >${lineFile}.new && mv ${lineFile}.new ${lineFile}
end
set -g fish_greeting
bind \\co report
bind \\cu kill-whole-line
`;

let images: ImageSource;
let image: string;

beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('service', { exports: serviceExports });
  await atomic(['install', '--name', 'alpha', '--start', image]);
  await atomic(['install', '--name', 'beta', image]);
  const built = buildImage({ layers: [tree`f file 0644 x`] });
  await writeLayout('/run/layouts/one', built, '1.0');
  await writeLayout('/run/layouts/bad', built, 'x$(touch /run/run-by-shell)');
  writeFileSync('/run/layouts/saved image.tar', '');
  mkdirSync('/run/shells/fish/completions', { recursive: true });
  cpSync(`${scripts}/bash/atomic`, '/usr/share/bash-completion/completions/atomic');
  cpSync(`${scripts}/zsh/_atomic`, '/usr/share/zsh/vendor-completions/_atomic');
  cpSync(`${scripts}/fish/atomic.fish`, '/run/shells/fish/completions/atomic.fish');
  writeFileSync('/run/shells/bashrc', `${bashrc}. ${scripts}/bash/atomic\n`);
  writeFileSync('/run/shells/bashrc-completion', `${bashrc}. /usr/share/bash-completion/bash_completion\n`);
  writeFileSync('/run/shells/.zshrc', zshrc);
  writeFileSync('/run/shells/fish/config.fish', fishConfig);
});
afterAll(() => images[Symbol.asyncDispose]());

async function startShell({ start }: Shell): Promise<TerminalRun> {
  const run = runOnTerminal(`cd /run/layouts; ${start}`);
  await waitUntil(`the prompt is there: ${start}`, async () => run.written().includes(READY));
  return run;
}

/** Types a line, and reads what stands there after the last key. */
async function complete(run: TerminalRun, typed: string): Promise<string> {
  rmSync(lineFile, { force: true });
  run.type(`${typed}${REPORT}`);
  await waitUntil(`the shell reports the line ${typed}`, async () => existsSync(lineFile));
  const line = readFileSync(lineFile, 'utf8').replace(/\n$/, '');
  run.type(CLEAR);
  return line;
}

describe.each(shells)('$name', (shell) => {
  let run: TerminalRun;
  beforeAll(async () => {
    run = await startShell(shell);
  });
  afterAll(async () => {
    run.type('exit\r');
    await run.ended;
  });

  test.each([
    { what: 'a verb', typed: `atomic uninst${TAB}`, line: 'atomic uninstall ' },
    { what: 'a verb of two words', typed: `atomic images hi${TAB}`, line: 'atomic images history ' },
    { what: 'a verb after a global option', typed: `atomic -y rende${TAB}`, line: 'atomic -y render ' },
    { what: 'a filter', typed: `atomic images list -f rep${TAB}`, line: 'atomic images list -f repo' },
    { what: 'an option', typed: `atomic install --netw${TAB}`, line: 'atomic install --network ' },
    { what: 'a choice', typed: `atomic install --network n${TAB}`, line: 'atomic install --network none ' },
    {
      what: 'a choice after =',
      typed: `atomic install --network=n${TAB}`,
      line: 'atomic install --network=none ',
    },
    { what: 'a container', typed: `atomic uninstall al${TAB}`, line: 'atomic uninstall alpha ' },
    { what: 'the only running one', typed: `atomic stop ${TAB}`, line: 'atomic stop alpha ' },
    { what: 'the only stopped one', typed: `atomic start ${TAB}`, line: 'atomic start beta ' },
    {
      what: 'another container',
      typed: `atomic uninstall alpha ${TAB}`,
      line: 'atomic uninstall alpha beta ',
    },
    {
      what: 'a tag of a layout',
      typed: `atomic pull oci:/run/layouts/one:${TAB}`,
      line: 'atomic pull oci:/run/layouts/one:1.0 ',
    },
    {
      what: 'a folder after a colon',
      typed: `atomic pull dir:/run/layouts/o${TAB}`,
      line: 'atomic pull dir:/run/layouts/one/',
    },
    {
      what: 'a file with a space, below the current folder',
      typed: `atomic pull oci-archive:sav${TAB}`,
      line: `atomic pull oci-archive:saved${shell.blank}image.tar `,
    },
    {
      what: 'a file after =',
      typed: `atomic pull --authfile=/run/layouts/sav${TAB}`,
      line: `atomic pull --authfile=/run/layouts/saved${shell.blank}image.tar `,
    },
  ])('completes $what', async ({ typed, line }) => {
    expect(await complete(run, typed)).toBe(line);
  });

  test('completes a word before others', async () => {
    const line = await complete(run, `atomic uninst alpha${LEFT.repeat(' alpha'.length)}${TAB}`);
    // zsh adds a blank, also before another.
    expect(line.replace(/ +/g, ' ')).toBe('atomic uninstall alpha');
  });

  // Without bash-completion, bash completes the words after another program as files.
  test.skipIf(shell.name === 'bash')('completes the command of another program', async () => {
    expect(await complete(run, `command atomic uninst${TAB}`)).toBe('command atomic uninstall ');
    expect(await complete(run, `command atomic logs al${TAB}`)).toBe('command atomic logs alpha ');
  });

  test('completes an image with a port and a tag', async () => {
    expect(await complete(run, `atomic images info 127${TAB}`)).toBe(`atomic images info ${image} `);
    expect(await complete(run, `atomic images info ${image.slice(0, -3)}${TAB}`)).toBe(
      `atomic images info ${image} `,
    );
  });

  test('quotes what the author of an image wrote, so that no shell runs it', async () => {
    const line = await complete(run, `atomic pull oci:/run/layouts/bad:${TAB}`);
    expect(line).toStartWith('atomic pull oci:/run/layouts/bad');
    run.type(`${line.replace('atomic pull', ': ')}\r`);
    expect(await complete(run, 'atomic uninst')).toBe('atomic uninst');
    expect(existsSync('/run/run-by-shell')).toBe(false);
  });

  test('prints nothing when there is nothing to propose', async () => {
    const before = run.written().length;
    expect(await complete(run, `atomic frobnicate ${TAB}x`)).toBe('atomic frobnicate x');
    expect(await complete(run, `atomic logs gam${TAB}`)).toBe('atomic logs gam');
    expect(run.written().slice(before)).not.toMatch(/error|hint|not found/);
  });
});

test('every shell also works where nothing can be read: settings that are wrong, and a user without rights', async () => {
  const asked = ['atomic', '__complete', 'uninstall', ''];
  expect(await runCommand(asked)).toMatchObject({ stdout: 'alpha\nbeta\n', stderr: '', status: 0 });
  expect(await command('setpriv', '--reuid', '65534', '--clear-groups', ...asked)).toBe('');
  expect(await command('env', 'ATOMIC_OSTREE_CHECKOUT_PATH=/none', ...asked)).toBe('');
  const wrong = await runCommand(['env', 'ATOMIC_CONF=/etc/passwd', ...asked]);
  expect(wrong).toMatchObject({ stdout: '', status: 1 });
});
