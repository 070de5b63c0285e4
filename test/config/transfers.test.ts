import t from 'tap'
import {
  checkNotify,
  checkTransferAllow,
  checkTsigKeys,
  parseSecondary,
  parseTransferRule,
  parseTsigFile,
  parseTsigKey,
} from '../../src/config/transfers.ts'
import { redact } from '../../src/config/redact.ts'

const secret = Buffer.from('a secret of some octets').toString('base64')
const bytes = new Uint8Array(Buffer.from('a secret of some octets'))

t.test('a TSIG key is written as dig takes it', async (t) => {
  const name = 'transfer.example'
  t.strictSame(parseTsigKey(`${name}:${secret}`), { name, algorithm: 'hmac-sha256', secret: bytes })
  const long = parseTsigKey(`HMAC-SHA512.:Transfer.Example.:${secret}`)
  t.strictSame(long, { name, algorithm: 'hmac-sha512', secret: bytes })
})

t.test('why a key is refused never contains its secret', async (t) => {
  const cases: Record<string, RegExp> = {
    [secret]: /\[ALGORITHM:\]NAME:SECRET/,
    [`a:b:c:${secret}`]: /\[ALGORITHM:\]NAME:SECRET/,
    [`hmac-md5:k:${secret}`]: /hmac-md5|algorithm of TSIG key k is not one of/,
    [`bad name:${secret}`]: /must be a DNS name/,
    [`k:${secret}x`]: /secret of TSIG key k is not base64/,
    'k:c2hvcnQ=': /of 8 bytes or more/,
  }
  for (const [text, reason] of Object.entries(cases)) {
    const refused = checkTsigKeys([text]) ?? ''
    t.match(refused, reason, text)
    t.notOk(refused.includes(secret))
    t.notOk(refused.includes('c2hvcnQ='))
  }
  t.equal(checkTsigKeys([`k:${secret}`]), undefined)
})

t.test("a file has keys as BIND's tsig-keygen writes them, or one per line", async (t) => {
  const bind = `# made by tsig-keygen
key "Transfer" {
\talgorithm hmac-sha256;
\tsecret "${secret}";
};
key other. { algorithm HMAC-SHA1; secret ${secret}; };
`
  t.strictSame(parseTsigFile(bind), [
    { name: 'transfer', algorithm: 'hmac-sha256', secret: bytes },
    { name: 'other', algorithm: 'hmac-sha1', secret: bytes },
  ])
  t.strictSame(parseTsigFile(`# mine\n\ntransfer:${secret}\n`), [
    { name: 'transfer', algorithm: 'hmac-sha256', secret: bytes },
  ])
  t.match(parseTsigFile('key "a" { algorithm hmac-sha256; };'), { reason: /secret of TSIG key a/ })
  t.match(parseTsigFile(''), { reason: /./ })
  t.match(parseTsigFile('key'), { reason: 'it has no TSIG key' })
})

t.test('a rule names a network, a key, or both', async (t) => {
  t.strictSame(parseTransferRule('10.0.0.0/8'), { network: '10.0.0.0/8', key: undefined })
  t.strictSame(parseTransferRule('key:Transfer.'), { network: undefined, key: 'transfer' })
  t.strictSame(parseTransferRule('fd00::1#a.b'), { network: 'fd00::1', key: 'a.b' })
  for (const bad of ['', 'any', '10.0.0.0/33', 'key:', '#k', '10.0.0.1#', '10.0.0.1#a#b']) {
    t.match(checkTransferAllow([bad]), /write a network such as/, bad)
  }
  t.equal(checkTransferAllow(['10.0.0.2#k', '::1']), undefined)
})

t.test('a secondary is an address, with a port and a key if need be', async (t) => {
  t.strictSame(parseSecondary('10.0.0.2'), { address: '10.0.0.2', port: 53, key: undefined })
  t.strictSame(parseSecondary('10.0.0.2:5300#K'), { address: '10.0.0.2', port: 5300, key: 'k' })
  t.strictSame(parseSecondary('[fd00::2]:53'), { address: 'fd00::2', port: 53, key: undefined })
  for (const bad of ['', 'host', '10.0.0.2:0', '0.0.0.0', '10.0.0.2#', '10.0.0.2#a#b']) {
    t.match(checkNotify([bad]), /is not a secondary; write an IP address/, bad)
  }
  t.equal(checkNotify(['10.0.0.2', 'fd00::2']), undefined)
})

t.test('diagnoses do not show TSIG keys', async (t) => {
  const shown = JSON.stringify(
    redact({ tsigKeys: [secret], tsig_keys: [secret], tsigKeyFiles: ['/f'] }),
  )
  t.notOk(shown.includes(secret))
  t.match(shown, '/f')
})
