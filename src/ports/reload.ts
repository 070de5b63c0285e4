/** What became of the files of a node when they were read again, one line of text each. */
export interface ReloadReport {
  /** The definitions that were added, changed or removed. */
  readonly taken: readonly string[]
  /** The errors in the files. The definitions concerned are not in force. */
  readonly leftOut: readonly string[]
  /** What no file defines any more, and stays because some file could not be read. */
  readonly heldBack: readonly string[]
  /** Options that changed and count from the next start on, by their key in a file. */
  readonly restartNeeded: readonly string[]
}

/** The files of a node, read again while it runs. */
export interface Reload {
  /**
   * Reads definitions and zones again. Faulty ones are left out, and their served versions stay.
   */
  reload(): Promise<ReloadReport>
}
