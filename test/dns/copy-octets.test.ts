import t from 'tap'
import { copyOctets } from '../../src/dns/copy-octets.ts'

const before = 0xee

t.test('octets are copied from and to any place, whether by words or not', async (t) => {
  const buffer = Uint8Array.from({ length: 2048 }, (_, at) => at % 251).buffer
  const source = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) }
  for (const size of [0, 1, 2, 3, 4, 5, 7, 8, 31, 200, 201, 799, 800, 803, 1500]) {
    for (let places = 0; places < 32; places++) {
      const from = 16 + (places & 3)
      const start = 8 + ((places >> 2) & 3)
      const bytes = new Uint8Array(2048).fill(before)
      const words = places < 16 ? new Int32Array(bytes.buffer) : undefined
      const end = copyOctets(source, from, from + size, { bytes, words }, start)
      const place = `${size} octets from ${from} to ${start}`
      if (end !== start + size) t.fail(place)
      t.same(bytes.subarray(start, end), source.bytes.subarray(from, from + size), place)
      t.ok(
        bytes.subarray(0, start).every((octet) => octet === before),
        `${place}: nothing before them is changed`,
      )
      t.ok(
        bytes.subarray(words === undefined ? end : end + 3).every((octet) => octet === before),
        `${place}: nothing behind them`,
      )
    }
  }
})
