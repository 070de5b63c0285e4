import t from 'tap'
import { unmappedIp } from '../../src/base/ip.ts'

t.test('an IPv4-mapped address is the IPv4 address, however it is written', async (t) => {
  for (const [text, wanted] of [
    ['::ffff:10.70.0.1', '10.70.0.1'],
    ['::FFFF:10.70.0.1', '10.70.0.1'],
    ['::ffff:a46:1', '10.70.0.1'],
    ['0:0:0:0:0:ffff:0a46:0001', '10.70.0.1'],
    ['::ffff:0:0', '0.0.0.0'],
    ['10.70.0.1', '10.70.0.1'],
    ['::1', '::1'],
    ['::10.70.0.1', '::10.70.0.1'],
    ['64:ff9b::10.70.0.1', '64:ff9b::10.70.0.1'],
    ['2001:DB8::1', '2001:DB8::1'],
    ['web.example', 'web.example'],
    ['a:b', 'a:b'],
    ['', ''],
  ] as const) {
    t.equal(unmappedIp(text), wanted, text)
  }
})
