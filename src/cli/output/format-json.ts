/**
 * Formats a document for `--json`: indented by four spaces, as existing scripts expect (compatibility L-06), with
 * everything but printable ASCII escaped, so that a value from an image cannot reach the terminal raw.
 */
export function formatJson(value: unknown): string {
  return `${escapeNonAscii(JSON.stringify(value, undefined, 4))}\n`;
}

/** Formats a document as `formatJson` does, on one line. */
export function formatJsonLine(value: unknown): string {
  return `${escapeNonAscii(JSON.stringify(value))}\n`;
}

function escapeNonAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
