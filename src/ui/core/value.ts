// Values are bytes. A person sees and types them in one of these formats.

export type Format = 'text' | 'json' | 'base64'

/** Consul's limit of a value. */
export const valueBytesMax = 512 * 1024

export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll(/\s/g, '')), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

export function base64Of(bytes: Uint8Array): string {
  // A call takes a limited number of arguments.
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)))
  }
  return btoa(pieces.join(''))
}

/** Base64 in lines, as `base64` prints it. */
export function inLines(base64: string): string {
  return base64.replaceAll(/.{76}(?=.)/g, '$&\n')
}

/** Bytes that are a text: valid UTF-8, with no control characters but tabs and ends of lines. */
export function textOfBytes(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return hasControls(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** A text box turns other ends of lines into line feeds, so a text with carriage returns would change. */
function hasControls(text: string): boolean {
  return /[^\P{Cc}\n\t]/u.test(text)
}

/** The format that shows all of a value and changes none of it. */
export function formatOf(bytes: Uint8Array): Format {
  const text = textOfBytes(bytes)
  if (text === undefined) return 'base64'
  return /^\s*[[{]/.test(text) && jsonFault(text) === undefined ? 'json' : 'text'
}

/** A value for a text box. */
export function typedOf(bytes: Uint8Array, format: Format): string {
  return format === 'base64' ? inLines(base64Of(bytes)) : (textOfBytes(bytes) ?? '')
}

/** Why a text is not JSON; undefined if it is. */
export function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export type Typed =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'fault'; readonly text: string }

/** What a person typed, as bytes. */
export function bytesOfTyped(text: string, format: Format): Typed {
  if (format === 'json') {
    const fault = jsonFault(text)
    if (fault !== undefined) return { kind: 'fault', text: `This is not valid JSON: ${fault}.` }
  }
  const bytes = format === 'base64' ? bytesOfBase64(text) : new TextEncoder().encode(text)
  if (bytes === undefined) return { kind: 'fault', text: 'This is not valid base64.' }
  if (bytes.length > valueBytesMax) {
    const size = bytes.length.toLocaleString('en')
    return { kind: 'fault', text: `This has ${size} bytes. A value has at most 512 KiB.` }
  }
  return { kind: 'bytes', bytes }
}

const flagsMax = 2n ** 64n - 1n

/** Why a text is not valid as flags; undefined if it is. Flags go up to 2^64-1, so they stay texts. */
export function flagsFault(text: string): string | undefined {
  if (/^\d{1,20}$/.test(text) && BigInt(text) <= flagsMax) return undefined
  return 'Flags are a whole number from 0 to 18446744073709551615.'
}

/** `1 byte`, `4.2 kB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
