import t from 'tap'
import { KvApi } from './kv/kv-api.ts'
import { checkRows } from './session/table.ts'
import type { Row } from './session/table.ts'

// What a registration does to a node that is there. The tables run against Consul as those of sessions do.

const one = '11111111-0000-4000-8000-00000000e001'

const register = (body: object): Row => ({
  ask: 'PUT catalog/register',
  send: { Node: 'ext', Address: '10.9.9.9', ...body },
  body: 'true',
})
/** The node, as the registrations have left it. */
function node(id: string, maps = '"TaggedAddresses":null,"Meta":null'): Row {
  const body = (shown: string): string =>
    `[{"ID":"${id}","Node":"ext","Address":"10.9.9.9","Datacenter":"dc1",${shown},"CreateIndex":#,"ModifyIndex":#}]`
  const because = 'a map without entries is never null'
  const svcd = { body: body(maps.replaceAll('null', '{}')), because }
  return { ask: 'GET catalog/nodes?filter=Node==ext', body: body(maps), svcd }
}
const full = '"TaggedAddresses":{"lan":"10.9.9.9"},"Meta":{"rack":"a1"}'

t.test(
  'a registration without an ID takes it from the node, as all that it does not say',
  async (t) => {
    const api = await KvApi.start(t)
    await checkRows(t, api, [
      { ask: 'PUT catalog/deregister', send: { Node: 'ext' }, body: 'true' },
      register({ ID: one, NodeMeta: { rack: 'a1' }, TaggedAddresses: { lan: '10.9.9.9' } }),
      node(one, full),
      register({ SkipNodeUpdate: true, Service: { Service: 'web' } }),
      node(one, full),
      register({ Service: { Service: 'db' } }),
      node(''),
      register({ ID: one, Check: { Name: 'c', Status: 'passing' } }),
      node(one),
      register({}),
      node(''),
      { ask: 'PUT catalog/deregister', send: { Node: 'ext' }, body: 'true' },
    ])
  },
)
