import { readdirSync } from 'node:fs'
import t from 'tap'
import { runScript } from '../helpers/datadriven.ts'
import { Script } from './script.ts'

const folder = new URL('./golden/', import.meta.url).pathname

for (const name of readdirSync(folder).toSorted()) {
  t.test(`the script ${name} gives what it says`, async (t) => {
    const script = new Script()
    const { expected, actual } = runScript(`${folder}${name}`, (command) => script.run(command))
    t.equal(actual, expected)
  })
}
