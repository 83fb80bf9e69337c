/**
 * A file tree as text, one line an entry, so that a test shows its layers at a glance:
 *
 *     tree`
 *       d etc 0755
 *       f etc/passwd 0644 root:x:0:0::/root:/bin/sh\n
 *       f etc/shadow 0640 @0:42 secret
 *       f usr/bin/tool 04755 ${binary}
 *       x usr/bin/tool user.origin=test
 *       l bin -> usr/bin
 *       h usr/bin/again => usr/bin/tool
 *       c dev/null 0666 1:3
 *       b dev/sda 0660 8:0
 *       p run/pipe 0600
 *       w etc/removed
 *       o usr/share
 *     `
 *
 * `d` directory, `f` file, `x` extended attribute of an entry above, `l` symlink, `h` hard link, `c` and `b` device
 * with MAJOR:MINOR, `p` FIFO, `w` whiteout of a path, `o` opaque marker of a directory. The mode is octal and may be
 * followed by `@UID:GID`; everything after it is the content, without a final newline. `\n`, `\t`, `\0` and `\\` stand
 * for themselves in a path or content. A `${value}` is taken as one piece, whatever characters or bytes it has.
 */
import type { TarEntry } from './tar-writer.ts';

type Value = string | Uint8Array;

/** @throws Error naming the line that cannot be understood */
export function tree(strings: TemplateStringsArray, ...values: readonly Value[]): TarEntry[] {
  const text = strings.raw.reduce((joined, part, index) => `${joined}\u0001${index - 1}\u0001${part}`);
  const entries: TarEntry[] = [];
  for (const line of text.split('\n').map((untrimmed) => untrimmed.trimStart())) {
    if (line.trim() !== '') parseLine(line, values, entries);
  }
  return entries;
}

const words = {
  node: /^(\S+) +(0[0-7]+)(?: +@(\d+):(\d+))?(?: (.*))?$/,
  device: /^(\S+) +(0[0-7]+)(?: +@(\d+):(\d+))? +(\d+):(\d+) *$/,
  attribute: /^(\S+) +([^ =]+)=(.*)$/,
  symlink: /^(\S+) +-> +(.+)$/,
  hardlink: /^(\S+) +=> +(.+)$/,
  path: /^(\S+) *$/,
} as const;

function parseLine(line: string, values: readonly Value[], entries: TarEntry[]): void {
  const take = (pattern: RegExp): string[] => {
    const match = pattern.exec(line.slice(2));
    if (match === null) throw new Error(`tree: cannot understand the line "${line}"`);
    return match.slice(1);
  };
  const text = (raw = ''): string => toText(raw, values);
  switch (line.slice(0, 2)) {
    case 'f ':
    case 'd ':
    case 'p ': {
      const [path, mode, uid, gid, content] = take(words.node);
      const type = line.startsWith('f') ? 'file' : line.startsWith('d') ? 'directory' : 'fifo';
      const bytes = type === 'file' ? { content: toContent(content ?? '', values) } : {};
      entries.push({ path: text(path), type, ...owner(mode, uid, gid), ...bytes });
      return;
    }
    case 'c ':
    case 'b ': {
      const [path, mode, uid, gid, major, minor] = take(words.device);
      const type = line.startsWith('c') ? 'char' : 'block';
      const device = { major: Number(major), minor: Number(minor) };
      entries.push({ path: text(path), type, ...owner(mode, uid, gid), device });
      return;
    }
    case 'l ': {
      const [path, target] = take(words.symlink);
      entries.push({ path: text(path), type: 'symlink', mode: 0o777, linkName: text(target) });
      return;
    }
    case 'h ': {
      const [path, target] = take(words.hardlink);
      entries.push({ path: text(path), type: 'hardlink', linkName: text(target) });
      return;
    }
    case 'x ': {
      const [path, name, value] = take(words.attribute);
      addAttribute(entries, text(path), text(name), toContent(value ?? '', values));
      return;
    }
    case 'w ': {
      const [path] = take(words.path);
      entries.push({ path: text(path).replace(/([^/]+)$/, '.wh.$1') });
      return;
    }
    case 'o ': {
      const [path] = take(words.path);
      entries.push({ path: `${text(path)}/.wh..wh..opq` });
      return;
    }
    default:
      throw new Error(`tree: cannot understand the line "${line}"`);
  }
}

function owner(mode: string | undefined, uid: string | undefined, gid: string | undefined) {
  return {
    mode: Number.parseInt(mode ?? '', 8),
    ...(uid === undefined ? {} : { uid: Number(uid), gid: Number(gid) }),
  };
}

function addAttribute(entries: TarEntry[], path: string, name: string, value: Value): void {
  const index = entries.findLastIndex((entry) => entry.path === path);
  const entry = entries[index];
  if (entry === undefined) throw new Error(`tree: no entry "${path}" above the attribute ${name}`);
  entries[index] = { ...entry, xattrs: { ...entry.xattrs, [name]: value } };
}

const VALUE = /\u0001(\d+)\u0001/;
const ESCAPE = /\\([nt0\\])/g;
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function toContent(raw: string, values: readonly Value[]): Value {
  const parts = raw.split(VALUE);
  if (parts.length === 1) return unescaped(raw);
  return Buffer.concat(
    parts.map((part, index) => Buffer.from(index % 2 === 0 ? unescaped(part) : (values[Number(part)] ?? ''))),
  );
}

function toText(raw: string, values: readonly Value[]): string {
  const content = toContent(raw, values);
  return typeof content === 'string' ? content : Buffer.from(content).toString();
}

function unescaped(text: string): string {
  return text.replace(ESCAPE, (_, letter: string) => escapes[letter] ?? '');
}
