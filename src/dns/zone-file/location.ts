import { ZoneFileProblem, quote } from './fields.ts'
import { u32, u8 } from '../octets.ts'
import type { Fields } from './fields.ts'

/** RFC 1876 §3: degrees [minutes [seconds]] N|S, the same E|W, altitude [size [precision …]]. */
export function parseLocation(fields: Fields): string {
  const words = fields
    .atLeast('latitude', 'longitude', 'altitude')
    .rest()
    .map(({ text }) => text)
  const latitude = takeAngle(words, 'N', 'S', 90)
  const longitude = takeAngle(words, 'E', 'W', 180)
  const altitude = takeMetres(words, undefined)
  // In centimetres above 100,000 m below sea level.
  const height = Math.round(altitude * 100) + 10_000_000
  if (height < 0 || height > 0xffff_ffff) {
    throw new ZoneFileProblem(`the altitude ${altitude} m is out of range`)
  }
  const sizes = [takeMetres(words, 1), takeMetres(words, 10_000), takeMetres(words, 10)]
  if (words.length > 0) {
    throw new ZoneFileProblem(`unexpected field ${quote(words[0] ?? '')} at the end`)
  }
  return u8(0) + sizes.map(precision).join('') + u32(latitude) + u32(longitude) + u32(height)
}

/** In thousandths of a second of arc, 2^31 at the equator and the prime meridian. */
function takeAngle(words: string[], plus: string, minus: string, degreesMax: number): number {
  const parts: number[] = []
  for (;;) {
    const word = words.shift() ?? ''
    const upper = word.toUpperCase()
    if ((upper === plus || upper === minus) && parts.length > 0) {
      const [degrees = 0, minutes = 0, seconds = 0] = parts
      const angle = Math.round((degrees * 3600 + minutes * 60 + seconds) * 1000)
      if (minutes > 59 || seconds >= 60 || angle > degreesMax * 3_600_000) {
        throw new ZoneFileProblem(`${parts.join(' ')} ${word} is not a valid position`)
      }
      return upper === plus ? 2 ** 31 + angle : 2 ** 31 - angle
    }
    if (!/^\d{1,3}(?:\.\d{1,3})?$/.test(word) || parts.length === 3) {
      throw new ZoneFileProblem(
        `${quote(word)} is not part of an angle: up to three numbers, then ${plus} or ${minus}`,
      )
    }
    parts.push(Number(word))
  }
}

function takeMetres(words: string[], fallback: number | undefined): number {
  const word = words.shift()
  if (word === undefined && fallback !== undefined) return fallback
  if (word === undefined || !/^-?\d{1,8}(?:\.\d{1,2})?m?$/i.test(word)) {
    throw new ZoneFileProblem(`${quote(word ?? '')} is not a valid length in metres`)
  }
  return Number.parseFloat(word)
}

/** A digit and a power of ten, in centimetres. */
function precision(metres: number): string {
  let [mantissa, exponent] = [Math.max(0, Math.round(metres * 100)), 0]
  for (; mantissa > 9; exponent++) mantissa = Math.floor(mantissa / 10)
  if (exponent > 9 || metres < 0) throw new ZoneFileProblem(`${metres} m is not a valid precision`)
  return u8((mantissa << 4) | exponent)
}
