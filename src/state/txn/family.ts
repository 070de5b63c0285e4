import type { Family } from '../machine/family.ts'
import { openTxn } from './apply.ts'
import { txnCommands } from './commands.ts'
import type { TxnCommand } from './commands.ts'
import { TxnReader } from './reader.ts'

/** Transactions over the families below: they have no state of their own. */
export const txnFamily: Family<TxnCommand, TxnReader> = {
  name: 'txn',
  migrations: [],
  tables: [],
  commands: txnCommands,
  keepsIndexes: false,
  open: openTxn,
  reader: (db) => new TxnReader(db),
  *restore() {},
}
