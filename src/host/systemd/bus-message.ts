/**
 * Messages of D-Bus, as far as units need them: a method call with strings, its answer, and a signal. The format is in the
 * D-Bus specification, "Message Protocol". Answers and signals come from another process: reading them ends with a value
 * or with `BadMessage`, whatever they contain.
 */

export interface MethodCall {
  readonly serial: number;
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Strings, and lists of strings. */
  readonly args: readonly (string | readonly string[])[];
}

export interface Message {
  readonly kind: 'answer' | 'error' | 'signal' | 'other';
  /** The serial of the call that it answers. */
  readonly answers: number | undefined;
  /** The name of an error, such as `org.freedesktop.DBus.Error.AccessDenied`. */
  readonly error: string | undefined;
  /** The name of a signal or of a method. */
  readonly member: string | undefined;
  /** The types of the body. */
  readonly signature: string;
  readonly body: Uint8Array;
}

export class BadMessage extends Error {}

const LITTLE_ENDIAN = 'l'.charCodeAt(0);
const METHOD_CALL = 1;
const PROTOCOL_VERSION = 1;
const kinds: Readonly<Record<number, Message['kind']>> = { 2: 'answer', 3: 'error', 4: 'signal' };
const field = {
  path: 1,
  interface: 2,
  member: 3,
  error: 4,
  answers: 5,
  destination: 6,
  signature: 8,
} as const;
/** Byte order, kind, flags, version, length of the body, serial, length of the fields. */
const fixedBytes = 16;
/** The specification allows 128 MiB; an answer about a thousand units has 0.3. */
const maxBytes = 16 * 1024 * 1024;

export function buildMethodCall(call: MethodCall): Uint8Array {
  const body = new Writer();
  for (const arg of call.args) {
    if (typeof arg === 'string') body.writeString(arg);
    else body.writeList(arg);
  }
  const signature = call.args.map((arg) => (typeof arg === 'string' ? 's' : 'as')).join('');
  const content = body.finish();
  const message = new Writer();
  for (const byte of [LITTLE_ENDIAN, METHOD_CALL, 0, PROTOCOL_VERSION]) message.writeByte(byte);
  message.writeNumber(content.length);
  message.writeNumber(call.serial);
  message.writeSized(() => {
    message.writeField(field.path, 'o', call.path);
    message.writeField(field.destination, 's', call.destination);
    message.writeField(field.interface, 's', call.interface);
    message.writeField(field.member, 's', call.member);
    if (signature !== '') message.writeField(field.signature, 'g', signature);
  });
  message.align(8);
  return Buffer.concat([message.finish(), content]);
}

/**
 * Reads the first message of the bytes that have arrived.
 *
 * @returns `undefined` while it is not complete
 * @throws BadMessage
 */
export function takeMessage(
  bytes: Uint8Array,
): { readonly message: Message; readonly length: number } | undefined {
  if (bytes.length < fixedBytes) return undefined;
  const head = new MessageReader(bytes);
  if (head.readByte() !== LITTLE_ENDIAN) throw new BadMessage('it is not little-endian');
  const kind = kinds[head.readByte()] ?? 'other';
  head.readByte();
  if (head.readByte() !== PROTOCOL_VERSION) throw new BadMessage('its protocol has another version');
  const bodyBytes = head.readNumber();
  head.readNumber();
  const fieldsEnd = fixedBytes + head.readNumber();
  const bodyStart = Math.ceil(fieldsEnd / 8) * 8;
  const length = bodyStart + bodyBytes;
  if (length > maxBytes) throw new BadMessage(`it has ${length} bytes`);
  if (bytes.length < length) return undefined;
  const fields = readFields(new MessageReader(bytes.subarray(0, fieldsEnd), fixedBytes));
  const answers = fields.get(field.answers);
  const message = {
    kind,
    answers: typeof answers === 'number' ? answers : undefined,
    error: fields.get(field.error)?.toString(),
    member: fields.get(field.member)?.toString(),
    signature: String(fields.get(field.signature) ?? ''),
    body: bytes.subarray(bodyStart, length),
  };
  return { message, length };
}

function readFields(reader: MessageReader): ReadonlyMap<number, string | number> {
  const fields = new Map<number, string | number>();
  while (!reader.isAtEnd()) {
    reader.align(8);
    const code = reader.readByte();
    const type = reader.readSignature();
    if (type === 'u') fields.set(code, reader.readNumber());
    else if (type === 'g') fields.set(code, reader.readSignature());
    else if (type === 's' || type === 'o') fields.set(code, reader.readString());
    else throw new BadMessage(`a field of its header has the type ${type}`);
  }
  return fields;
}

/** Grows by whole values; every value stands at a multiple of its own size. */
class Writer {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  align(size: number): void {
    this.#add(Buffer.alloc((size - (this.#length % size)) % size));
  }

  writeByte(value: number): void {
    this.#add(Buffer.of(value));
  }

  /** @returns where it stands, to fill it in later */
  writeNumber(value: number): Buffer {
    this.align(4);
    const place = Buffer.alloc(4);
    place.writeUInt32LE(value);
    this.#add(place);
    return place;
  }

  writeString(value: string): void {
    const text = Buffer.from(`${value}\0`);
    this.writeNumber(text.length - 1);
    this.#add(text);
  }

  writeSignature(value: string): void {
    this.writeByte(value.length);
    this.#add(Buffer.from(`${value}\0`));
  }

  writeList(values: readonly string[]): void {
    this.writeSized(() => {
      for (const value of values) this.writeString(value);
    });
  }

  writeField(code: number, type: 's' | 'o' | 'g', value: string): void {
    this.align(8);
    this.writeByte(code);
    this.writeSignature(type);
    if (type === 'g') this.writeSignature(value);
    else this.writeString(value);
  }

  /** A length, and what has that length. */
  writeSized(write: () => void): void {
    const place = this.writeNumber(0);
    const start = this.#length;
    write();
    place.writeUInt32LE(this.#length - start);
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }
}

/** Reads values one after the other. @throws BadMessage after the last byte */
export class MessageReader {
  readonly #bytes: Buffer;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#position = position;
  }

  isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  align(size: number): void {
    this.#position = Math.ceil(this.#position / size) * size;
  }

  readByte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  readNumber(): number {
    this.align(4);
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  readString(): string {
    return this.#readText(this.readNumber());
  }

  readSignature(): string {
    return this.#readText(this.readByte());
  }

  /** A final NUL follows the text. */
  #readText(bytes: number): string {
    const start = this.#take(bytes + 1);
    return this.#bytes.toString('utf8', start, start + bytes);
  }

  #take(bytes: number): number {
    const start = this.#position;
    if (start + bytes > this.#bytes.length) throw new BadMessage('a value goes beyond its end');
    this.#position = start + bytes;
    return start;
  }
}
