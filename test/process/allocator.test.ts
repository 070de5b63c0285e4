import t from 'tap'
import { boundAllocator, trimAllocator } from '../../src/process/allocator.ts'
import { loadLibc } from '../../src/process/libc.ts'

interface ReportHeader {
  readonly header: { readonly glibcVersionRuntime?: string }
}

t.test('glibc takes the bounds on freed memory; elsewhere nothing is done', async (t) => {
  const { header } = process.report.getReport() as unknown as ReportHeader
  const isBoundable = header.glibcVersionRuntime !== undefined && !(loadLibc() instanceof Error)
  t.equal(boundAllocator(), isBoundable)
})

t.test('pages that were freed are given back, as often as one asks', async (t) => {
  trimAllocator()
  t.doesNotThrow(trimAllocator)
})
