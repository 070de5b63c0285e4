// npm run check: types beside lint and format, because neither the compiler nor the formatter uses a second core.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Resolves with whether all went well. What one says is printed as a whole. */
async function inTurn(...scripts) {
  for (const script of scripts) {
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part))
    const [code] = await once(child, 'close')
    process.stdout.write(Buffer.concat(said))
    if (code === 0) continue
    console.error(`check: npm run ${script} failed (exit code ${code})`)
    return false
  }
  return true
}

const results = await Promise.all([inTurn('types'), inTurn('lint', 'format:check')])
process.exitCode = results.every(Boolean) ? 0 : 1
