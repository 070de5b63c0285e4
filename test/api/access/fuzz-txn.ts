import { nameOf } from '../../helpers/plain-rules.ts'
import type { May } from '../../helpers/plain-rules.ts'
import { key, needs, node, service } from './fuzz-requests.ts'
import type { Pick } from './fuzz-requests.ts'
import { checkBody, instanceBody, mark, nodeAddress, nodeBody } from './fuzz-world.ts'

/** Operations of a transaction that reads, of each kind. */
export function reading(pick: Pick): readonly object[] {
  return [
    { KV: { Verb: 'get', Key: key(pick) } },
    { KV: { Verb: 'get-tree', Key: 'key-' } },
    { Node: { Verb: 'get', Node: { Node: node(pick) } } },
    { Service: { Verb: 'get', Node: node(pick), Service: { ID: service(pick) } } },
    { Check: { Verb: 'get', Check: { Node: node(pick), CheckID: `${service(pick)}-check` } } },
  ]
}

/** A hidden node, service or check fails as one that does not exist. Keys are filtered. */
export const readsEntries =
  (pick: Pick) =>
  (may: May): boolean =>
    may('node', node(pick)) && may('service', service(pick))

/** Writing transactions, each behind the right that it needs. */
export function transactions(
  pick: Pick,
): readonly (readonly [(may: May) => boolean, ...ops: readonly object[]])[] {
  const [ownKey, ownService] = [key(pick), service(pick)]
  const Value = Buffer.from(mark(`key:${ownKey}`)).toString('base64')
  const instance = instanceBody(node(pick), ownService).Service
  return [
    [needs('key', ownKey, 'write'), { KV: { Verb: 'set', Key: ownKey, Value } }],
    [
      (may) => may('key', `${ownKey}/no`, 'read') && may('key', nameOf('key', pick.other), 'write'),
      { KV: { Verb: 'check-not-exists', Key: `${ownKey}/no` } },
      {
        KV: {
          Verb: 'set',
          Key: nameOf('key', pick.other),
          Value: Buffer.from(mark(`key:${nameOf('key', pick.other)}`)).toString('base64'),
        },
      },
    ],
    [
      (may) => may('service', ownService, 'write') && readsEntries(pick)(may),
      { Service: { Verb: 'set', Node: node(pick), Service: instance } },
      ...reading(pick),
    ],
    [
      needs('service', ownService, 'write'),
      { Check: { Verb: 'set', Check: { Node: node(pick), ...checkBody(node(pick), ownService) } } },
    ],
    [
      needs('node', node(pick), 'write'),
      {
        Node: {
          Verb: 'set',
          Node: {
            Node: node(pick),
            Address: nodeAddress(node(pick)),
            Meta: nodeBody(node(pick)).NodeMeta,
          },
        },
      },
    ],
  ]
}
