import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Sqlite } from '../../helpers/sqlite.ts'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { stateTables, stateVersion } from '../../../src/state/families.ts'
import { emptyConfig } from '../../../src/raft/config.ts'
import { packSnapshot, unpackSnapshot } from '../../../src/archive/archive.ts'
import type { SnapshotFile } from '../../../src/storage/snapshot/file.ts'
import { runSnapshotJob } from '../../../src/storage/snapshot/job.ts'
import type { RunSnapshotJob } from '../../../src/storage/snapshot/worker.ts'
import { SnapshotStore } from '../../../src/storage/snapshot/snapshot.ts'
import type { Place } from '../../../src/storage/snapshot/snapshot.ts'
import { StateWriter } from '../../../src/storage/state.ts'
import { tarEnd, tarHeader, tarPadding } from '../../../src/archive/tar.ts'
import { fill, registration, tamper } from '../../helpers/state.ts'

const config = { ...emptyConfig, voters: ['n1'], addresses: { n1: '127.0.0.1:8300' } }
const describe = () => ({ index: 1, config })
const from = { id: 'n2' }

interface Rig {
  readonly directory: string
  readonly writer: StateWriter
  readonly store: SnapshotStore
  readonly current: { place: Place | undefined }
  /** The store as a restart finds it. */
  readonly reopen: () => SnapshotStore
  readonly names: () => string[]
}

/** In this thread: one of its own takes a second to start while TypeScript is compiled for it. */
const run: RunSnapshotJob = async (job) => runSnapshotJob(job)

function rig(t: Test, name = 'n1', options: { readonly run?: RunSnapshotJob } = { run }): Rig {
  const root = join(t.testdirName, name)
  const directory = join(root, 'snapshots')
  const current: Rig['current'] = { place: undefined }
  const reopen = () =>
    new SnapshotStore({
      directory,
      statePath: join(root, 'state.db'),
      identity: () => ({ clusterId: 'c1', epoch: 2 }),
      current: () => current.place,
      ...options,
    })
  const store = reopen()
  const writer = new StateWriter(join(root, 'state.db'))
  t.teardown(() => writer.close())
  return {
    directory,
    writer,
    store,
    current,
    reopen,
    names: () => readdirSync(directory).toSorted(),
  }
}

async function make(store: SnapshotStore): Promise<SnapshotFile> {
  return must(await store.create(describe))
}

async function arrayOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

t.test('a snapshot is of the entry that its file says, whatever was applied since', async (t) => {
  t.testdir()
  const { writer, store, directory } = rig(t, 'n1', {})
  fill(writer, 50)
  const asked: Place[] = []
  const file = must(
    await store.create((place) => {
      fill(writer, 60)
      asked.push({ index: place.index, term: place.term })
      return describe()
    }),
  )
  t.strictSame(asked, [{ index: 50, term: 1 }])
  const { size, sha256, ...rest } = file.meta
  t.strictSame(rest, {
    index: 50,
    term: 1,
    config,
    confIndex: 1,
    clusterId: 'c1',
    epoch: 2,
    schemaVersion: stateVersion,
  })
  const content = readFileSync(file.path)
  t.equal(size, content.length)
  t.equal(sha256, createHash('sha256').update(content).digest('hex'))
  t.strictSame(JSON.parse(readFileSync(join(directory, '50-1.json'), 'utf8')), file.meta)
  t.strictSame(store.list(), [file])
})

t.test('a snapshot restores to the state that it was made of', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 500)
  const hash = writer.stateHash()
  const file = await make(store)
  fill(writer, 600)
  t.not(writer.stateHash(), hash)
  const other = rig(t, 'n2').writer
  other.restore(file.path, file.meta)
  t.equal(other.stateHash(), hash)
})

t.test('a snapshot of 100,000 services holds up no write', async (t) => {
  t.testdir()
  const { writer, store } = rig(t, 'n1', {})
  const count = 100_000
  fill(writer, count)
  writer.checkpoint()
  const making = { isDone: false }
  let [stallMs, writes] = [0, 0]
  const startMs = performance.now()
  const made = make(store).then((file) => {
    making.isDone = true
    return file
  })
  while (!making.isDone) {
    const beforeMs = performance.now()
    writer.applyBatch([registration(count + ++writes)])
    if (writes % 100 === 0) writer.checkpoint()
    stallMs = Math.max(stallMs, performance.now() - beforeMs)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { meta } = await made
  const tookMs = performance.now() - startMs
  t.comment(
    `${(meta.size / 1e6).toFixed()} MB in ${tookMs.toFixed()} ms; ` +
      `${writes} writes meanwhile, the slowest ${stallMs.toFixed(1)} ms`,
  )
  t.ok(meta.index >= count && meta.index <= count + writes)
  t.ok(writes > 10)
  // In milliseconds this is a matter of the machine: `npm run bench` says.
  t.ok(stallMs < tookMs / 2, `${stallMs} of ${tookMs} ms`)
})

t.test('no snapshot is kept when its configuration is not known any more', async (t) => {
  t.testdir()
  const { writer, store, names } = rig(t)
  fill(writer, 5)
  t.equal(await store.create(() => undefined), undefined)
  t.strictSame(names(), [])
})

t.test('one that fails names the cause and leaves nothing, and the next one works', async (t) => {
  t.testdir({ n1: { 'state.db': 'this is not a database, it is a text of some length' } })
  const directory = join(t.testdirName, 'n1', 'snapshots')
  const options = {
    directory,
    statePath: join(t.testdirName, 'n1', 'state.db'),
    identity: () => ({ clusterId: 'c1', epoch: 0 }),
    current: () => undefined,
    run,
  }
  const store = new SnapshotStore(options)
  await t.rejects(store.create(describe), {
    code: 'state-damaged',
    message: /the state of this server is damaged: file is not a database/i,
  })
  t.strictSame(readdirSync(directory), [])
  const { writer } = rig(t, 'n2')
  fill(writer, 3)
  const other = new SnapshotStore({ ...options, statePath: join(t.testdirName, 'n2', 'state.db') })
  const both = await Promise.all([make(other), make(other)])
  t.equal(both[0].path, both[1].path, 'the state has not moved on: it is the same one')
})

t.test('two are kept, and the one that the log relies on', async (t) => {
  t.testdir()
  const { writer, store, current, names, reopen } = rig(t)
  for (const index of [10, 20, 30, 40]) {
    fill(writer, index)
    const { meta } = await make(store)
    if (index === 10) current.place = meta
  }
  const kept = (...indexes: number[]) =>
    indexes.flatMap((index) => [`${index}-1.json`, `${index}-1.snap`])
  t.strictSame(names(), kept(10, 30, 40))
  t.strictSame(
    store.list().map(({ meta }) => meta.index),
    [40, 30, 10],
  )
  current.place = { index: 30, term: 1 }
  t.strictSame(reopen().list().length, 2)
  t.strictSame(names(), kept(30, 40))
})

t.test('what was left unfinished is gone after a restart', async (t) => {
  t.testdir()
  const { writer, store, directory, names, reopen } = rig(t)
  fill(writer, 10)
  const file = await make(store)
  for (const name of ['make-7.tmp', 'make-7.tmp-journal', '99-1.json.tmp', '99-1.snap']) {
    writeFileSync(join(directory, name), 'x')
  }
  t.strictSame(reopen().list(), [file])
  t.strictSame(names(), ['10-1.json', '10-1.snap'])
})

t.test('a snapshot that is damaged or not there is refused, and said why', async (t) => {
  t.testdir()
  const { writer, store, reopen } = rig(t)
  fill(writer, 200)
  const file = await make(store)
  const sound = readFileSync(file.path)
  await reopen().verify(file)
  const flipped = Buffer.from(sound)
  flipped.writeUInt8(flipped.readUInt8(sound.length - 50) ^ 1, sound.length - 50)
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [flipped, /200-1\.snap cannot be used: its SHA-256 is [0-9a-f]{64} instead of/],
    [sound.subarray(0, sound.length - 4096), /cannot be used: .*malformed|cannot be used: .*page/],
    [Buffer.concat([sound, Buffer.alloc(4096)]), /cannot be used: .*(bytes instead of|page)/],
    [Buffer.from('junk'), /cannot be used: file is not a database/],
  ]
  for (const [content, message] of cases) {
    writeFileSync(file.path, content)
    await t.rejects(reopen().open(file.meta), { code: 'snapshot-unusable', message })
  }
  // Its checksum may be that of the damaged file: the sender's own was damaged before it was taken.
  const header = Buffer.from(sound)
  header.writeUInt32BE(5, 36)
  writeFileSync(file.path, header)
  t.throws(() => runSnapshotJob({ kind: 'check', path: file.path }), {
    code: 'snapshot-unusable',
    message: /[Ff]reelist/,
  })
  writeFileSync(file.path, sound)
  const source = await reopen().open(file.meta)
  truncateSync(file.path, 5000)
  await t.rejects(source.read(4096, 4096), { message: /it ends after 5000 bytes/ })
  await source.close()
  t.throws(() => store.find({ index: 7, term: 1 }), {
    code: 'snapshot-unusable',
    message: /7-1\.snap cannot be used: it does not exist/,
  })
  writeFileSync(file.path.replace('.snap', '.json'), '{"index":200}')
  t.throws(() => store.find(file.meta), { message: /its description is damaged/ })
})

t.test('a snapshot is streamed in chunks, and a broken stream begins again', async (t) => {
  t.testdir()
  const leader = rig(t, 'leader')
  fill(leader.writer, 900)
  const { meta } = await make(leader.store)
  const source = await leader.store.open(meta)
  const chunks = await arrayOf(source.chunks(10_000))
  await source.close()
  t.ok(chunks.length > 3)

  const { store, writer, directory, names } = rig(t, 'follower')
  const sink = await store.receive(from, meta, meta)
  await sink.write(0, must(chunks[0]))
  await t.rejects(sink.write(20_000, must(chunks[2])), {
    message: /a chunk at 20000, where 10000 was expected/,
  })
  await sink.write(10_000, must(chunks[1]))
  for (const [at, chunk] of chunks.entries()) await sink.write(at * 10_000, chunk)
  await t.rejects(sink.write(meta.size, Buffer.from('x')), { message: /it is longer than the/ })
  await sink.finish()
  t.strictSame(names(), ['900-1.json', '900-1.snap'])
  const file = store.find(meta)
  t.strictSame(file.meta, meta)
  writer.restore(join(directory, '900-1.snap'), meta)
  t.equal(writer.stateHash(), leader.writer.stateHash())

  const again = await store.receive(from, meta, meta)
  for (const [at, chunk] of chunks.entries()) await again.write(at * 10_000, chunk)
  await again.finish()
  t.strictSame(names(), ['900-1.json', '900-1.snap'], 'the same one once more')
})

t.test('what arrives short, damaged or mislabelled is not put in place', async (t) => {
  t.testdir()
  const leader = rig(t, 'leader')
  fill(leader.writer, 300)
  const { meta, path } = await make(leader.store)
  const sound = readFileSync(path)
  const { store, names } = rig(t, 'follower')
  const flipped = Buffer.from(sound)
  flipped.writeUInt8(flipped.readUInt8(sound.length - 50) ^ 1, sound.length - 50)
  const cases: readonly (readonly [Buffer, object, RegExp])[] = [
    [sound.subarray(0, 100), meta, /it ends after 100 of \d+ bytes/],
    [flipped, meta, /300-1 from n2 cannot be used: its SHA-256 is/],
    [sound, { ...meta, index: 299 }, /299-1 from n2 .* entry 300, term 1, instead of entry 299/],
    [Buffer.alloc(sound.length, 7), meta, /file is not a database/],
  ]
  for (const [content, described, message] of cases) {
    const sink = await store.receive(from, { ...meta, ...described }, meta)
    await sink.write(0, content)
    await t.rejects(sink.finish(), { code: 'snapshot-unusable', message })
    t.strictSame(names(), [])
  }
  const sink = await store.receive(from, meta, meta)
  await sink.write(0, sound.subarray(0, 100))
  await sink.abort()
  t.strictSame(names(), [])
})

t.test('one of a newer release is refused before it is installed', async (t) => {
  t.testdir()
  const leader = rig(t, 'leader')
  fill(leader.writer, 30)
  const { meta, path } = await make(leader.store)
  tamper(path, 'PRAGMA user_version = 99')
  const { size, sha256 } = runSnapshotJob({ kind: 'check', path })
  const { store, names } = rig(t, 'follower')
  const sink = await store.receive(from, meta, { size, sha256 })
  await sink.write(0, readFileSync(path))
  await t.rejects(sink.finish(), {
    code: 'snapshot-unusable',
    message: /30-1 from n2 .*it has format 99, .* upgrade this server first/,
  })
  t.strictSame(names(), [])
})

async function archiveOf(file: SnapshotFile): Promise<Buffer> {
  return Buffer.concat(await arrayOf(packSnapshot(file) as AsyncIterable<Buffer>))
}

/** An archive of any members. */
function archive(...members: readonly (readonly [string, Buffer | string])[]): Buffer {
  const parts = members.flatMap(([name, content]) => {
    const data = Buffer.from(content)
    return [tarHeader(name, data.length, 0), data, tarPadding(data.length)]
  })
  return gzipSync(Buffer.concat([...parts, tarEnd]))
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')

t.test('an archive is unpacked into what was packed, however it is cut into chunks', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 400)
  const file = await make(store)
  const packed = await archiveOf(file)
  const path = store.temporaryPath()
  for (const chunkBytes of [packed.length, 1000, 7]) {
    const chunks = Array.from({ length: Math.ceil(packed.length / chunkBytes) }, (_, at) =>
      packed.subarray(at * chunkBytes, (at + 1) * chunkBytes),
    )
    const unpacked = await unpackSnapshot(Readable.from(chunks), { name: 'backup.snap', path, run })
    t.strictSame(unpacked.meta, file.meta)
    const filled = { addresses: 10, checks: 400, meta: 3, nodes: 10, requests: 400, services: 400 }
    t.strictSame(unpacked.rows, {
      ...Object.fromEntries(stateTables.map((table) => [table, 0])),
      ...filled,
      subjects: must(unpacked.rows['subjects']),
    })
    t.ok(readFileSync(path).equals(readFileSync(file.path)))
  }
})

t.test('tar reads the archive', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 40)
  const file = await make(store)
  const directory = t.testdirName
  writeFileSync(join(directory, 'backup.tgz'), await archiveOf(file))
  execFileSync('tar', ['-xzf', 'backup.tgz'], { cwd: directory })
  const sums = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: directory })
  t.equal(sums.toString(), 'meta.json: OK\nstate.bin: OK\n')
  execFileSync('tar', ['-czf', 'again.tgz', 'SHA256SUMS', 'state.bin', 'meta.json'], {
    cwd: directory,
  })
  const again = Readable.from([readFileSync(join(directory, 'again.tgz'))])
  const path = store.temporaryPath()
  t.strictSame((await unpackSnapshot(again, { name: 'again', path, run })).meta, file.meta)
})

t.test('a damaged archive is refused, the cause named and nothing left', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 40)
  const file = await make(store)
  const packed = await archiveOf(file)
  const tar = gunzipSync(packed)
  const meta = JSON.stringify(file.meta)
  const state = readFileSync(file.path)
  const sums = `${sha256(meta)}  meta.json\n${sha256(state)}  state.bin\n`
  const whole = [
    ['meta.json', meta],
    ['state.bin', state],
    ['SHA256SUMS', sums],
  ] as const
  const flipped = Buffer.from(tar)
  flipped.writeUInt8(flipped.readUInt8(tar.length / 2) ^ 1, tar.length / 2)
  const other = '{"ID":"2-5-1","Index":5,"Term":2,"Version":1}'
  const wrong = JSON.stringify({ ...file.meta, index: 41 })
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['cut off', packed.subarray(0, packed.length / 2), /it is truncated/],
    ['cut off at the end', packed.subarray(0, -12), /it is truncated/],
    ['a tar that is cut off', gzipSync(tar.subarray(0, tar.length / 2)), /it is truncated/],
    ['empty', Buffer.alloc(0), /it is truncated/],
    ['no archive', Buffer.from('{"json": true}'), /it is not a gzip archive, or it is damaged/],
    ['another gzip', gzipSync(Buffer.alloc(2000, 'text')), /it is not a tar archive/],
    ['a flipped bit', gzipSync(flipped), /the checksum of state\.bin does not match/],
    ['no state', archive(whole[0], whole[2]), /it does not contain state\.bin/],
    ['no sums', archive(whole[0], whole[1]), /it does not contain SHA256SUMS/],
    ['something else', archive(...whole, ['x', 'y']), /x does not belong in a snapshot/],
    ['twice', archive(...whole, whole[0]), /it contains meta\.json twice/],
    [
      'of Consul',
      archive(
        ['meta.json', other],
        ['state.bin', 'x'],
        ['SHA256SUMS', `${sha256(other)}  meta.json\n${sha256('x')}  state.bin\n`],
      ),
      /meta\.json does not describe a snapshot of svcd/,
    ],
    [
      'with sums that fit, of another entry',
      archive(
        ['meta.json', wrong],
        ['state.bin', state],
        ['SHA256SUMS', `${sha256(wrong)}  meta.json\n${sha256(state)}  state.bin\n`],
      ),
      /it is from entry 40, term 1, instead of entry 41, term 1/,
    ],
  ]
  const path = store.temporaryPath()
  for (const [what, content, message] of cases) {
    await t.rejects(
      unpackSnapshot(Readable.from([content]), { name: 'backup.snap', path, run }),
      {
        code: 'snapshot-unusable',
        message: new RegExp(`backup\\.snap cannot be used: ${message.source}`),
      },
      what,
    )
    t.notOk(existsSync(path), what)
  }
  const broken = async function* () {
    yield packed.subarray(0, 500)
    throw new Error('the client went away')
  }
  await t.rejects(unpackSnapshot(broken(), { name: 'backup.snap', path, run }), {
    message: /the client went away/,
  })
  await t.rejects(
    unpackSnapshot(Readable.from([packed]), { name: 'x', path: join(path, 'no', 'x'), run }),
    { code: 'snapshot-failed', message: /Cannot write the snapshot .*: ENOENT/ },
  )
})

t.test('a file that was damaged on disk is not handed out as an archive', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 40)
  const file = await make(store)
  tamper(file.path, "UPDATE services SET port = 9 WHERE id = 'web-1'")
  await t.rejects(archiveOf(file), { code: 'snapshot-unusable', message: /its SHA-256 is/ })
})

t.test('an unpacked archive becomes a snapshot at another place of the log', async (t) => {
  t.testdir()
  const { writer, store } = rig(t)
  fill(writer, 40)
  const packed = await archiveOf(await make(store))
  const { store: otherStore, writer: other, names } = rig(t, 'other')
  fill(other, 5)
  const path = otherStore.temporaryPath()
  await t.rejects(
    unpackSnapshot(Readable.from([Buffer.from('junk')]), { name: 'junk', path }),
    /junk cannot be used/,
  )
  await unpackSnapshot(Readable.from([packed]), { name: 'backup.snap', path, run })
  const place = { index: 777, term: 9, config, confIndex: 3 }
  const file = await otherStore.adopt(path, place)
  t.strictSame(names(), ['777-9.json', '777-9.snap'])
  const { index, term, confIndex, clusterId } = file.meta
  t.strictSame([index, term, confIndex, clusterId], [777, 9, 3, 'c1'])
  await otherStore.verify(file)
  other.restore(file.path, file.meta)
  t.equal(other.appliedIndex, 777)
  const db = new Sqlite(file.path, { readonly: true })
  t.equal(db.pragma('journal_mode', { simple: true }), 'delete', 'nothing lies beside it')
  db.close()
})
