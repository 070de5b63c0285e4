import t from 'tap'
import { SvcdError } from '../../../src/base/errors.ts'
import { parseRules } from '../../../src/access/rules/parse-rules.ts'
import { printRule } from '../../../src/access/rules/rule.ts'

/** The rules of a text, `line: rule`; or the text of the error. */
function read(text: string): string {
  try {
    return parseRules(text)
      .map((rule) => `${rule.line}: ${printRule(rule)}`)
      .join('\n')
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    return error.message.replace('Failed to parse ACL rules: At ', '')
  }
}

const readA = '1: key "a" { policy = "read" }'

t.test('what Consul reads is read as the same rules', async (t) => {
  const cases: readonly (readonly [text: string, rules: string])[] = [
    ['', ''],
    [' \n\t\r\n', ''],
    ['# only\n// comments\n/* key "a" { } */', ''],
    ['{}', ''],
    ['key "a" { policy = "read" }', readA],
    ['key "a"{policy="read"}', readA],
    ['key a { policy = "read" }', readA],
    ['"key" "a" { "policy" = "read" }', readA],
    ['KEY "a" { Policy = "READ" }', readA],
    ['key "a" { policy = "read", },', readA],
    ['key = { "a" = { policy = "read" } }', readA],
    ['key { a { policy = "read" } }', readA],
    ['key = [ { "a" = { policy = "read" } }, ]', readA],
    ['\uFEFFkey "a" { policy = "read" }', readA],
    ['\n\nkey\n"a"\n{ policy = "read" }', '4: key "a" { policy = "read" }'],
    ['key "a" { # {\n policy /* = */ = // x\n "read" }', readA],
    ['key ä-1.b_c { policy = "read" }', '1: key "ä-1.b_c" { policy = "read" }'],
    ['key "" { policy = "list" }', '1: key "" { policy = "list" }'],
    ['acl = "read" keyring = "deny"', '1: acl = "read"\n1: keyring = "deny"'],
    ['operator = ""\nmesh = "write"\npeering = "read"', '2: mesh = "write"\n3: peering = "read"'],
    ['acl = <<E\nE\n', ''],
    [
      'service_prefix "" { intentions = "write" policy = "deny" }',
      '1: service_prefix "" { policy = "deny" intentions = "write" }',
    ],
    ['service "a" { policy = "read" intentions = "" }', '1: service "a" { policy = "read" }'],
    ['key "\\x61\\141\\u0061\\U00000061" { policy = "read" }', '1: key "aaaa" { policy = "read" }'],
    ['key "\\xc3\\xa4\\"\\\\\\n" { policy = "read" }', '1: key "ä\\"\\\\\\n" { policy = "read" }'],
    ['key "a${"b"\n}" { policy = "read" }', '1: key "a\\x24{\\"b\\"\\n}" { policy = "read" }'],
    ['key "a${\\n}\\n" { policy = "read" }', '1: key "a\\x24{\\\\n}\\n" { policy = "read" }'],
    [
      'key "a" { policy = "read" } key "a" { policy = "deny" }',
      `${readA}\n1: key "a" { policy = "deny" }`,
    ],
    ['{"key": {"a": {"policy": "read"}}}', readA],
    ['\n{"key": [{"a": {"policy": "read"}}], "acl": null}', readA.replace('1', '2')],
    [
      '{"key": {"a": [{"policy": "read"}, {"policy": "deny"}]}}',
      `${readA}\n1: key "a" { policy = "deny" }`,
    ],
    [
      '{"key": {"a": {"policy": "read"}}, "key": {"b": {"policy": "read"}}}',
      `${readA}\n1: key "b" { policy = "read" }`,
    ],
    ['{"key": {}, "node": []}', ''],
    ['{"key": {"policy": {"policy": "read"}}}', '1: key "policy" { policy = "read" }'],
    ['{"key": {"\\ud83d\\ude00\\/": {"policy": "read"}}}', '1: key "😀/" { policy = "read" }'],
    [
      '{"service": {"a": {"policy": "read", "intentions": null}}}',
      '1: service "a" { policy = "read" }',
    ],
  ]
  for (const [text, rules] of cases) t.equal(read(text), rules, JSON.stringify(text))
})

t.test('a fault is told with its line and column, and what to write', async (t) => {
  const cases: readonly (readonly [text: string, fault: string | RegExp])[] = [
    ['keyy "a" { policy = "read" }', '1:1: Unknown word "keyy". Did you mean "key"?'],
    [
      '\n  service-prefix "" { policy = "read" }',
      '2:3: Unknown word "service-prefix". Did you mean "service_prefix"?',
    ],
    ['key "a" { polcy = "read" }', '1:11: Unknown word "polcy". Did you mean "policy"?'],
    ['key "a" { policy = "read" ttl = 3 }', '1:27: Unknown word "ttl". A rule of key has: policy'],
    [
      'service "a" { ttl = 3 }',
      '1:15: Unknown word "ttl". A rule of service has: policy, intentions',
    ],
    [
      'foobar = 1',
      /^1:1: Unknown word "foobar". Rules begin with: agent, agent_prefix, event, .*, peering$/,
    ],
    [
      'constructor "a" { policy = "read" }',
      /^1:1: Unknown word "constructor"\. Rules begin with: agent, /,
    ],
    ['namespace "a" { policy = "read" }', '1:1: Unknown word "namespace": svcd has no namespaces'],
    [
      'key "a" { policy = "write" sentinel { code = "x" } }',
      '1:28: Unknown word "sentinel": svcd does not run Sentinel code',
    ],
    ['key "a" { policy = "raed" }', '1:20: Unknown level "raed". Did you mean "read"?'],
    [
      'key "a" { policy = "all" }',
      '1:20: Unknown level "all". Use one of: read, list, write, deny',
    ],
    ['node "a" { policy = "list" }', '1:21: The level "list" is only for key and key_prefix'],
    ['acl = "list"', '1:7: The level "list" is only for key and key_prefix'],
    ['acl = "full-control"', '1:7: Unknown level "full-control". Use one of: read, write, deny'],
    ['key "a" { policy = read }', '1:20: Write the level as a text in quotes: policy = "read"'],
    ['key "a" { policy = ["read"] }', '1:20: Write the level as a text in quotes: policy = "read"'],
    [
      'key "a" { policy = <<E\nread\nE\n}',
      '1:20: A heredoc ends with a line break. Write: policy = "read"',
    ],
    ['key "a" { policy "x" { } }', '1:18: Write: policy = "read"'],
    ['key "a" { }', '1:5: The rule has no level. Write: key … { policy = "read" }'],
    [
      '{"key": {"a": {"policy": null}}}',
      '1:10: The rule has no level. Write: key … { policy = "read" }',
    ],
    ['key "a" {\n policy = "read"\n policy = "write" }', '3:2: policy is given twice in this rule'],
    ['acl = "read"\nacl = "write"', '2:1: acl has already a rule, in line 1'],
    [
      'node "a" { intentions = "read" }',
      '1:12: Only rules of service and service_prefix have intentions',
    ],
    ['key "a" "b" { policy = "read" }', '1:9: A rule has one name'],
    [
      'key { policy = "read" }',
      '1:1: A rule of key has a name and a block: key "name" { policy = "read" }',
    ],
    [
      '{"key": {"policy": "read"}}',
      '1:2: A rule of key has a name and a block: key "name" { policy = "read" }',
    ],
    [
      'key_prefix = "read"',
      '1:1: A rule of key_prefix has a name and a block: key_prefix "name" { policy = "read" }',
    ],
    ['{"key": null}', '1:2: A rule of key has a name and a block: key "name" { policy = "read" }'],
    [
      '{"key": {"a": []}}',
      '1:10: A rule of key has a name and a block: key "name" { policy = "read" }',
    ],
    ['key = [ "a" ]', '1:1: A rule of key has a name and a block: key "name" { policy = "read" }'],
    ['acl { policy = "read" }', '1:1: acl has no name. Write: acl = "read"'],
    ['operator "" { policy = "read" }', '1:1: operator has no name. Write: operator = "read"'],
    ['operator = true', '1:12: Write the level as a text in quotes: operator = "read"'],
    [
      'key "a" = { policy = "read" }',
      '1:9: A block with a name has no "=". Write: key "name" { … }',
    ],
    ['key "a" { policy : "read" }', '1:18: Expected a name in quotes, "{" or "=", found ":"'],
    ['key "a" { policy = "read"; }', '1:26: Expected a word such as key_prefix, found ";"'],
    ['key "a" { policy = "read" } }', '1:29: Expected a word such as key_prefix, found "}"'],
    ['key "a"', '1:8: Expected a name in quotes, "{" or "=", found the end of the rules'],
    ['key true { policy = "read" }', '1:5: Expected a name in quotes, "{" or "=", found "true"'],
    ['key \'a\' { policy = "read" }', '1:5: Expected a name in quotes, "{" or "=", found "\'"'],
    ['key "a" {\n policy = "read"', '1:9: This "{" is not closed'],
    ['key = [ { }', '1:7: This "[" is not closed'],
    ['key = [ {} {} ]', '1:12: Expected "," or "]", found "{"'],
    ['key "a" { policy = }', '1:20: Expected a level in quotes, such as "read", found "}"'],
    ['😀', '1:1: Expected a word such as key_prefix, found "😀"'],
    ['/* 😀ä */ ;', '1:10: Expected a word such as key_prefix, found ";"'],
    [
      'key "a\n" { policy = "read" }',
      '1:7: A text in quotes ends on its line. Write \\n for a line break',
    ],
    ['key "a', '1:5: This text has no closing quote'],
    ['key "a${b" { policy = "read" }', '1:5: This text has no closing quote'],
    [
      'key "\\q" { policy = "read" }',
      '1:6: This escape is not one of HCL. Write \\\\ for a backslash',
    ],
    ['key "a\\777" { policy = "read" }', '1:7: This escape is not a Unicode character'],
    ['key "\\ud83d" { policy = "read" }', '1:6: This escape is not a Unicode character'],
    ['key "\\xff" { policy = "read" }', '1:5: The escapes in this text are not valid UTF-8'],
    ['key "a\0" { policy = "read" }', '1:7: This character cannot stand in rules'],
    ['acl = "\ud83d"', '1:8: This character cannot stand in rules'],
    ['/* x', '1:1: This comment has no closing */'],
    ['acl / = "read"', '1:5: A comment begins with //, /* or #'],
    ['acl = <<E\nread\n', '1:7: This heredoc has no last line with E alone'],
    ['acl = <<"E"\nread\nE\n', '1:7: A heredoc begins with <<WORD at the end of a line'],
    ['acl = <<-E\n  read\n  E\n', '1:7: A heredoc ends with a line break. Write: acl = "read"'],
    ['key = {a={b={c={d={e={f={g={h={}}}}}}}}}', '1:31: Rules are at most 8 levels deep'],
    ['{"key": {"a": {"policy": "read"}}', '1:34: Expected "," or "}", found the end of the rules'],
    ['{"key": {"a": {"policy": "read"}}} x', '1:36: Expected the end, found "x"'],
    ['{"key": {"a": {"policy": "read",}}}', '1:33: Expected a key in quotes, found "}"'],
    ['{"key" {}}', '1:8: Expected ":", found "{"'],
    ['{"key": nul}', '1:9: Expected a value, found "nul"'],
    ['{"key": {"a\\q": {"policy": "read"}}}', '1:12: This escape is not one of JSON'],
    ['{"key": {"\t": {"policy": "read"}}}', '1:11: This character must be written as an escape'],
    ['{"key": {"\\ud83d": {"policy": "read"}}}', '1:10: This text is not valid Unicode'],
    ['{"acl": "read', '1:9: This text has no closing quote'],
    ['{"a": [[[[[[[[]]]]]]]]}', '1:14: Rules are at most 8 levels deep'],
    ['[]', '1:1: Expected a word such as key_prefix, found "["'],
    [`${'x'.repeat(60)} = 1`, new RegExp(`^1:1: Unknown word "x{48}…"\\. Rules begin with`)],
  ]
  for (const [text, fault] of cases) {
    const is = read(text)
    if (typeof fault === 'string') t.equal(is, fault, JSON.stringify(text))
    else t.match(is, fault, JSON.stringify(text))
  }
})
