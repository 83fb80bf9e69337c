/**
 * The parsers of data from outside. Each must accept an input or refuse it with its own error; every other error is a
 * bug, and so is a parser that does not end.
 */

import { AtomicError } from '../../src/base/errors.ts';
import { parseJsonObject } from '../../src/base/json-text.ts';
import { formatInfo, parseInfo } from '../../src/containers/info-file.ts';
import { parseJournal } from '../../src/containers/journal-format.ts';
import { parseRuntimeConfig } from '../../src/containers/render/config/runtime-config.ts';
import { parseExportsManifest } from '../../src/containers/render/exports-manifest.ts';
import {
  calculateHealthDeadline,
  type HealthCheck,
  parseImageHealthCheck,
  parseManifestHealthCheck,
} from '../../src/containers/render/health-check.ts';
import { substituteTemplate } from '../../src/containers/render/values/template.ts';
import { parseMountPoints, parseMountTable } from '../../src/host/mounts/mount-table.ts';
import {
  findHealthcheck,
  parseConfiguration,
  readNamedPlatform,
} from '../../src/image/configuration-blob.ts';
import { parseManifest } from '../../src/image/manifest.ts';
import { formatImageRef, parseRefName } from '../../src/image/ref-name.ts';
import { parseReference } from '../../src/image/reference.ts';
import { parseSourceName } from '../../src/image/source-name.ts';
import { VariantMalformed } from '../../src/ostree/gvariant.ts';
import {
  formatDirMeta,
  formatDirTree,
  parseCommit,
  parseDirMeta,
  parseDirTree,
} from '../../src/ostree/ostree-objects.ts';
import { parseRegistriesConf } from '../../src/source/configuration.ts';
import { parseProxyAnswer, readHandle } from '../../src/source/skopeo/proxy-answer.ts';
import {
  emptyRegistriesConf,
  listCandidates,
  mergeRegistriesConf,
} from '../../src/source/trust/registries-conf.ts';
import { parseTrustPolicy } from '../../src/source/trust/trust-policy.ts';
import { parseTarHeader, TAR_BLOCK_BYTES } from '../../src/tar/tar-header.ts';
import { TarReader } from '../../src/tar/tar-reader.ts';
import { parseTarSplitLine, TarSplitMalformed } from '../../src/tar/tar-split.ts';

export interface FuzzTarget {
  /** The name of its folder in `corpus/`. */
  readonly name: string;
  /** The error of the parser for an input that it refuses. */
  readonly refusal: new (
    ...words: never[]
  ) => Error;
  /** Parses the input; if there is an inverse, it must restore the input. */
  run(input: Buffer): void;
}

export const targets: readonly FuzzTarget[] = [
  text('reference', (input) => {
    parseReference(input);
    parseSourceName(input);
  }),
  text('ref-name', (input) => {
    const parsed = parseRefName(input);
    if (parsed.kind === 'image') requireEqual(formatImageRef(parsed.reference), `ociimage/${input}`);
  }),
  text('template', (input) => substituteTemplate(input, { A: '$B', B: 1, name: '' }, 'x.template')),
  text('manifest', parseManifest),
  text('exports-manifest', (input) => parseExportsManifest(input, 'image')),
  text('configuration', (input) => {
    readNamedPlatform(input);
    findHealthcheck(input, rejectHealthCheck);
    parseConfiguration(input, 'image');
  }),
  text('runtime-config', (input) => parseRuntimeConfig(input, '/config.json')),
  text('proxy-answer', (input) => {
    const answer = parseProxyAnswer(input);
    if (answer.kind === 'done') readHandle(answer.value);
  }),
  text('registries-conf', (input) => {
    const conf = mergeRegistriesConf(emptyRegistriesConf, parseRegistriesConf(input, '/registries.conf'));
    listCandidates(conf, 'etcd');
  }),
  text('mountinfo', (input) => {
    parseMountTable(input, 'atomic:');
    parseMountPoints(input);
  }),
  text('health-check', (input) => {
    const value = parseJsonObject(input, MAX_HEALTH_CHECK, rejectHealthCheck);
    for (const parse of [parseManifestHealthCheck, parseImageHealthCheck]) {
      requireFinite(parse(value, rejectHealthCheck));
    }
  }),
  text('trust-policy', (input) => parseTrustPolicy(input, '/policy.json')),
  text('journal', (input) => parseJournal(input, '/journal/etcd.json')),
  text('info', (input) => {
    const record = parseInfo(input, '/info', '/usr/bin/runc');
    requireEqual(JSON.stringify(parseInfo(formatInfo(record), '/info', '')), JSON.stringify(record));
  }),
  {
    name: 'tar-split',
    refusal: TarSplitMalformed,
    run: (input) => void parseTarSplitLine(input.toString('utf8')),
  },
  {
    name: 'tar-header',
    refusal: AtomicError,
    run: (input) =>
      void parseTarHeader(
        Buffer.concat([input, Buffer.alloc(TAR_BLOCK_BYTES)]).subarray(0, TAR_BLOCK_BYTES),
        0,
      ),
  },
  { name: 'tar', refusal: AtomicError, run: readArchive },
  {
    name: 'dirtree',
    refusal: VariantMalformed,
    run: (input) => void parseDirTree(formatDirTree(parseDirTree(input))),
  },
  {
    name: 'dirmeta',
    refusal: VariantMalformed,
    run: (input) => void parseDirMeta(formatDirMeta(parseDirMeta(input))),
  },
  { name: 'commit', refusal: VariantMalformed, run: (input) => void parseCommit(input) },
];

function text(name: string, parse: (input: string) => unknown): FuzzTarget {
  return { name, refusal: AtomicError, run: (input) => void parse(input.toString('utf8')) };
}

/** The bytes that the reader reports must be those of the archive, for any input. */
function readArchive(input: Buffer): void {
  const parts: Buffer[] = [];
  const reader = new TarReader({
    frame: (bytes) => void parts.push(bytes),
    entry: () => {},
    content: (bytes) => void parts.push(bytes),
  });
  const half = input.length >> 1;
  reader.push(Buffer.from(input.subarray(0, half)));
  reader.push(Buffer.from(input.subarray(half)));
  reader.finish();
  requireEqual(Buffer.concat(parts).toString('latin1'), input.toString('latin1'));
}

const MAX_HEALTH_CHECK = 1024 * 1024;

function rejectHealthCheck(problem: string): AtomicError {
  return new AtomicError('EXPORTS_INVALID', problem);
}

/** The longest wait of an update. */
function requireFinite(check: HealthCheck | undefined): void {
  if (check !== undefined && !Number.isFinite(calculateHealthDeadline(check))) {
    throw new Error('the check has no end');
  }
}

function requireEqual(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}
