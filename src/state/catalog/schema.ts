import type { Database } from 'better-sqlite3'
import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { usedFormatsTable } from '../machine/used-format.ts'
import { addressKeys, reachOfNode, reachOfService } from './addresses.ts'
import type { TaggedAddress } from './model.ts'
import { plainMigrations } from './service-fields.ts'
import { checksTable } from './tables.ts'

/** The first format whose `meta` has the sums of the tables. */
export const summedVersion = 5
/** The first format that has the evidence of checks, and notes which formats are in use. */
export const evidenceFormat = 8
/** The first format whose servers read registrations without what is default (`terse.ts`); its tables are those of sessions. */
export const terseFormat = 9
/** The first format whose servers judge a registration by the services that its node has after a change of identity. */
export const settledFormat = 11

// Keys are explicit and tables WITHOUT ROWID: VACUUM renumbers rowids, and two replicas would differ.
// *_key columns are lower-cased: names match without regard to case (RFC 4343), and show as written.
// nodes.reversed_key has the name's labels in reverse, so that names below a suffix are a range.
const version1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE nodes (
    key TEXT PRIMARY KEY,
    reversed_key TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    tagged_addresses TEXT NOT NULL,
    meta TEXT NOT NULL,
    create_index INTEGER NOT NULL,
    modify_index INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nodes_by_id ON nodes (id);
  CREATE INDEX nodes_by_suffix ON nodes (reversed_key);
  CREATE TABLE services (
    node_key TEXT NOT NULL REFERENCES nodes (key),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    address TEXT NOT NULL,
    port INTEGER NOT NULL,
    tags TEXT NOT NULL,
    meta TEXT NOT NULL,
    weight_passing INTEGER NOT NULL,
    weight_warning INTEGER NOT NULL,
    tagged_addresses TEXT NOT NULL,
    enable_tag_override INTEGER NOT NULL,
    owner TEXT NOT NULL,
    extra TEXT NOT NULL,
    create_index INTEGER NOT NULL,
    modify_index INTEGER NOT NULL,
    PRIMARY KEY (node_key, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX services_by_name ON services (name_key, node_key, id);
  CREATE TABLE checks (
    node_key TEXT NOT NULL REFERENCES nodes (key),
    check_id TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    notes TEXT NOT NULL,
    output TEXT NOT NULL,
    service_id TEXT NOT NULL,
    type TEXT NOT NULL,
    interval TEXT NOT NULL,
    timeout TEXT NOT NULL,
    definition TEXT NOT NULL,
    create_index INTEGER NOT NULL,
    modify_index INTEGER NOT NULL,
    PRIMARY KEY (node_key, check_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX checks_by_service ON checks (node_key, service_id);
  CREATE TABLE subjects (
    subject TEXT PRIMARY KEY,
    create_index INTEGER NOT NULL,
    modify_index INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE requests (
    log_index INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL UNIQUE,
    time_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES ('applied_index', 0), ('applied_term', 0);
`

// Which node or service has an address, for PTR; service_id is '' for the node itself, so nodes
// come first. Made from the other tables, because an IPv6 address has many spellings; {@link
// defineAddressKeys} defines the functions.
const version2 = `
  CREATE TABLE addresses (
    ip TEXT NOT NULL,
    service_id TEXT NOT NULL,
    node_key TEXT NOT NULL,
    PRIMARY KEY (ip, service_id, node_key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO addresses SELECT DISTINCT k.value, '', n.key
    FROM nodes n, json_each(node_address_keys(n.address, n.tagged_addresses)) k;
  INSERT INTO addresses SELECT DISTINCT k.value, s.id, s.node_key
    FROM services s, json_each(service_address_keys(s.address, s.tagged_addresses)) k;
`

// The few checks that may keep an instance out of answers: maintenance checks begin with '_'.
const version3 = `
  CREATE INDEX checks_that_tell ON checks (node_key, service_id, check_id, status)
    WHERE status <> 'passing' OR (check_id >= '_' AND check_id < '\`');
`

// `subjects` keeps a name that is gone for a while only (`machine/subjects.ts`); `gone_subjects` says which ones are.
// What a server migrates to must not depend on when it does: replicas are compared row by row.
const version4 = `
  CREATE TABLE gone_subjects (subject TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  INSERT INTO gone_subjects SELECT subject FROM subjects
    WHERE subject LIKE 'service:%'
      AND NOT EXISTS (SELECT 1 FROM services WHERE name_key = substr(subject, length('service:') + 1))
    OR subject LIKE 'node:%'
      AND NOT EXISTS (SELECT 1 FROM nodes WHERE key = substr(subject, length('node:') + 1));
  DELETE FROM subjects WHERE subject IN (SELECT subject FROM gone_subjects)
    AND modify_index <= (SELECT value / 4096 * 4096 - 4096 FROM meta WHERE key = 'applied_index');
  DELETE FROM gone_subjects WHERE subject NOT IN (SELECT subject FROM subjects);
  ALTER TABLE subjects DROP COLUMN create_index;
`

// The row 'sums' of meta: the sum of the rows of each table (machine/sums.ts). Code that migrates a
// database from an older format calls initializeSums in the same transaction. A later format that
// changes the rows of a table says so (`changes`): its sum is computed again only if it was right before.
// Computed blindly, it would hide the damage of a state.
const version5 = `
  INSERT OR REPLACE INTO meta VALUES ('sums', '');
`

// The tables are as they were; from here on a registration under an id settles whose node it is (node-identity.ts), so
// that the states of servers of earlier releases may differ: they are not compared.
const version6 = ''

// Checks that are there have none: what their status rests on was not kept.
const version8 = `
  ALTER TABLE checks ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
  ${createTable(usedFormatsTable)}
`

// Behind the columns that it had in format 1 stands what DNS needs of a service, so that an answer is read from
// neighbouring rows of the index alone. Replicas do not compare indexes, and an older release uses this
// one like the old one. So it does not need a format: it is widened at the start.
const wideIndex = `CREATE INDEX services_by_name ON services (name_key, node_key, id, address, port, weight_passing,
  weight_warning, tags, tagged_addresses)`

/** Brings the index of services to its present columns. */
export function widenServiceIndex(db: Database): void {
  const find = "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = 'services_by_name'"
  if (db.prepare<[], string>(find).pluck().get() === wideIndex) return
  db.transaction(() => db.exec(`DROP INDEX services_by_name; ${wideIndex}`)).immediate()
}

export const catalogMigrations: readonly Migration[] = [
  { format: 1, sql: version1 },
  { format: 2, sql: version2 },
  { format: 3, sql: version3 },
  { format: 4, sql: version4 },
  { format: 5, sql: version5 },
  { format: 6, sql: version6 },
  { format: evidenceFormat, sql: version8, changes: [checksTable.name] },
  ...plainMigrations,
]

/** Defines the functions that the migrations use; nothing stored in a database refers to them. */
export function defineAddressKeys(db: Database): void {
  db.function('node_address_keys', (address, tagged) =>
    JSON.stringify(
      addressKeys(
        reachOfNode({
          address: String(address),
          taggedAddresses: JSON.parse(String(tagged)) as Record<string, string>,
        }),
      ),
    ),
  )
  db.function('service_address_keys', (address, tagged) =>
    JSON.stringify(
      addressKeys(
        reachOfService({
          address: String(address),
          taggedAddresses: JSON.parse(String(tagged)) as Record<string, TaggedAddress>,
        }),
      ),
    ),
  )
}
