import t from 'tap'
import { nodeNames } from '../../../src/resolver/zones/node-names.ts'

t.test('the names of a node are those that DNS has for it', async (t) => {
  t.strictSame(
    nodeNames({ nodeName: 'n1', datacenter: 'dc1', domain: 'consul', altDomain: undefined }),
    [
      'n1',
      'n1.node.dc1.consul',
      'consul.service.dc1.consul',
      'n1.node.consul',
      'consul.service.consul',
    ],
  )
})
