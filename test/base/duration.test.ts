import t from 'tap'
import { formatDuration, parseDuration } from '../../src/base/duration.ts'

t.test('a duration is read as Go reads it', async (t) => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['-0', 0],
    ['0s', 0],
    ['10s', 10_000],
    ['010s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.001s', 1001],
    ['-3s', -3000],
    ['+3s', 3000],
    ['7us', 0.007],
    ['7µs', 0.007],
    ['7ns', 7e-6],
    ['9999999999ms', 9_999_999_999],
    ['', undefined],
    ['10', undefined],
    ['10 s', undefined],
    ['10S', undefined],
    ['s', undefined],
    ['1d', undefined],
    ['10s\n', undefined],
    ['1m 30s', undefined],
  ]
  for (const [text, durationMs] of cases) t.equal(parseDuration(text), durationMs, `"${text}"`)
})

t.test('a duration is printed as Go prints it, and read again', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [1000, '1s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [5_400_500, '1h30m0.5s'],
    [1001, '1.001s'],
    [250, '250ms'],
    [1.5, '1.5ms'],
    [0.007, '7µs'],
    [7e-6, '7ns'],
    [-3000, '-3s'],
  ]
  for (const [durationMs, text] of cases) {
    t.equal(formatDuration(durationMs), text)
    t.equal(parseDuration(text), durationMs)
  }
})

t.test('a value as long as a request may be is refused, and does not block', async (t) => {
  // Where each digit could be matched in two ways, this took a quarter of an hour.
  for (const part of ['1', '0', '1.', '.1', '1m', ' ']) {
    t.equal(parseDuration(`${part.repeat(1_000_000 / part.length)}x`), undefined, part)
  }
})
