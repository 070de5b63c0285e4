import { Option } from 'commander'
import t from 'tap'
import { normaliseArguments } from '../../src/cli/arguments.ts'
import { columns } from '../../src/cli/columns.ts'
import { fullName } from '../../src/cli/full-name.ts'
import { dnsAddress, httpAddress } from '../../src/cli/http-address.ts'
import { nearest } from '../../src/base/nearest.ts'

const options = [
  new Option('--data-dir <path>'),
  new Option('--http-port <port>'),
  new Option('--dev'),
  new Option('--no-dev'),
  new Option('--json'),
  new Option('-f, --file <path>'),
]

t.test('the flags of a command that another one runs are left alone', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['-dev jobs ls -la -json', '--dev -- jobs ls -la -json'],
    ['-data-dir -x jobs -dev', '--data-dir -x -- jobs -dev'],
    ['-f x - -dev', '-f x -- - -dev'],
    ['-- -dev -json', '-- -dev -json'],
  ]
  for (const [args, expected] of cases) {
    t.equal(normaliseArguments(args.split(' '), options, true).join(' '), expected, args)
  }
})

t.test('flags are read with one dash as with two, and values are left alone', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['-dev -data-dir /d', '--dev --data-dir /d'],
    ['--dev --data-dir /d', '--dev --data-dir /d'],
    ['-data-dir=/d=e', '--data-dir=/d=e'],
    ['-http-port -1', '--http-port -1'],
    ['-http-port=-1', '--http-port=-1'],
    ['-data-dir -dev', '--data-dir -dev'],
    ['-dev=true', '--dev'],
    ['--dev=F', '--no-dev'],
    ['-json=false web', 'web'],
    ['-json=maybe', '--json=maybe'],
    ['-f x -dev', '-f x --dev'],
    ['web -h', 'web -h'],
    ['-- -dev', '-- -dev'],
    ['-unknown', '--unknown'],
    ['-f', '-f'],
    ['-5', '-5'],
  ]
  for (const [args, expected] of cases) {
    t.equal(normaliseArguments(args.split(' '), options).join(' '), expected, args)
  }
})

t.test('columns are aligned by two spaces, and values cannot steer the terminal', async (t) => {
  const table = columns(
    ['Node', 'DC'],
    [
      ['n1', 'dc1'],
      ['a-long-name', ''],
      ['\u001b[31mred\n', 'dc1'],
    ],
  )
  t.equal(
    table,
    'Node                DC\nn1                  dc1\na-long-name\n\\u{1b}[31mred\\u{a}  dc1\n',
  )
})

t.test('the agent is found by flag, SVCD_HTTP_ADDR, CONSUL_HTTP_ADDR, default', async (t) => {
  const env = { SVCD_HTTP_ADDR: 's:1', CONSUL_HTTP_ADDR: 'c:2' }
  t.equal(httpAddress('f:3', env), 'http://f:3')
  t.equal(httpAddress(undefined, env), 'http://s:1')
  t.equal(httpAddress(undefined, { ...env, SVCD_HTTP_ADDR: '' }), 'http://c:2')
  t.equal(httpAddress(undefined, {}), 'http://127.0.0.1:8500')
})

t.test('an address is host:port, :port or a URL', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['10.0.0.1:8501', 'http://10.0.0.1:8501'],
    ['10.0.0.1', 'http://10.0.0.1:8500'],
    ['10.0.0.1:80', 'http://10.0.0.1'],
    [':8501', 'http://127.0.0.1:8501'],
    ['[::1]:8501', 'http://[::1]:8501'],
    ['http://a', 'http://a'],
    ['https://a/base/', 'https://a/base'],
  ]
  for (const [text, url] of cases) t.equal(httpAddress(text, {}), url, text)
  for (const text of ['unix:///run/x', 'a b', 'http://', 'a:99999']) {
    t.throws(() => httpAddress(text, {}), { code: 'invalid-option' }, text)
  }
  t.throws(
    () => httpAddress(undefined, { CONSUL_HTTP_ADDR: 'a b' }),
    /Option CONSUL_HTTP_ADDR: "a b"/,
  )
})

t.test('a DNS server is ip:port', async (t) => {
  t.strictSame(dnsAddress(undefined, {}), { address: '127.0.0.1', port: 8600 })
  t.strictSame(dnsAddress(undefined, { SVCD_DNS_ADDR: ':53' }), { address: '127.0.0.1', port: 53 })
  t.strictSame(dnsAddress('10.0.0.1', {}), { address: '10.0.0.1', port: 8600 })
  t.strictSame(dnsAddress('[::1]:53', {}), { address: '::1', port: 53 })
  for (const text of ['a:b', 'a:0', 'a:70000', 'http://a:1']) {
    t.throws(() => dnsAddress(text, {}), { code: 'invalid-option' }, text)
  }
})

t.test('short names are completed', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['web', 'web.service.consul', 'A AAAA SRV'],
    ['v1.web', 'v1.web.service.consul', 'A AAAA SRV'],
    ['web.service', 'web.service.consul', 'A AAAA SRV'],
    ['web.service.dc1', 'web.service.dc1.consul', 'A AAAA SRV'],
    ['_web._tcp', '_web._tcp.service.consul', 'SRV'],
    ['n1.node', 'n1.node.consul', 'A AAAA'],
    ['web.service.consul', 'web.service.consul', 'A AAAA SRV'],
    ['Web.Service.Consul.', 'Web.Service.Consul', 'A AAAA SRV'],
    ['example.com.', 'example.com', 'A AAAA'],
    ['consul', 'consul', 'A AAAA'],
    ['10.9.0.1', '1.0.9.10.in-addr.arpa', 'PTR'],
    ['::1', `1.${'0.'.repeat(31)}ip6.arpa`, 'PTR'],
  ]
  for (const [text, name, types] of cases) {
    t.strictSame(fullName(text, 'consul'), { name, types: types.split(' ') }, text)
  }
})

t.test('a mistyped word finds its neighbour, and a strange one none', async (t) => {
  const words = ['register', 'deregister', 'services', 'nodes', 'resolve']
  t.equal(nearest('servcies', words), 'services')
  t.equal(nearest('node', words), 'nodes')
  t.equal(nearest('regsiter', words), 'register')
  t.equal(nearest('frobnicate', words), undefined)
  t.equal(nearest('x', []), undefined)
})
