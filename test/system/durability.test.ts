import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// What the kernel is asked for, by strace: an answer of 200 promises that the log was synced.

interface Call {
  readonly name: string
  /** The file or socket behind the descriptor. */
  readonly file: string
  readonly text: string
}

/** Completed calls in order; one that strace saw cut in two counts when it ended. */
function callsOf(trace: string): Call[] {
  const started = new Map<string, string>()
  const calls: Call[] = []
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) {
      started.set(pid, rest)
      continue
    }
    const text = rest.startsWith('<...') ? `${started.get(pid) ?? ''}${rest}` : rest
    const [, name = '', file = ''] = /^(\w+)\(\d+<([^>]*)>/.exec(text) ?? []
    if (name !== '') calls.push({ name, file, text })
  }
  return calls
}

t.test(
  "a sync of the log's WAL precedes every answer of 200",
  { skip: missing('strace') },
  async (t) => {
    const directory = t.testdir()
    const trace = join(directory, 'trace')
    const agent = await AgentProcess.start({
      wrapper: [
        'strace',
        '-f',
        '-yy',
        '-s',
        '64',
        '-o',
        trace,
        '-e',
        'trace=fsync,fdatasync,write,writev,sendto,sendmsg',
      ],
      args: [
        '-server',
        `-data-dir=${join(directory, 'data')}`,
        '-node=n1',
        '-bind=127.0.0.1',
        '-log-level=warn',
      ],
    })
    const count = 20
    for (let n = 0; n < count; n++) {
      const response = await agent.put('agent/service/register', { Name: 'web', ID: `web-${n}` })
      t.equal(response.status, 200)
      await response.arrayBuffer()
    }
    await agent.stop()
    let synced = 0
    let answers = 0
    for (const { name, file, text } of callsOf(readFileSync(trace, 'utf8'))) {
      if (/^f(data)?sync$/.test(name) && file.endsWith('raft.db-wal')) synced++
      if (!text.includes('HTTP/1.1 200')) continue
      answers++
      if (synced === 0) t.fail(`answer ${answers} left with no sync since the one before`)
      synced = 0
    }
    t.equal(answers, count, 'every answer was seen')
  },
)
