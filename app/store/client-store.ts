/**
 * Where a row lives. Byte strings are blinded (HMAC under the vault key) before they reach the disk; numbers stand as they
 * are and order the rows that share what comes before them.
 */
export type Key = readonly (Uint8Array | number)[]

/** How rows become bytes; every `StructCodec` is one. Methods, so that a list may hold tables of different rows. */
interface RowCodec<Row> {
  encode(row: Row): Uint8Array
  decode(bytes: Uint8Array): Row
}

/** One kind of row. Tables are declared in `records/` and listed in `schema.ts`. */
export interface Table<Row> {
  readonly name: string
  readonly codec: RowCodec<Row>
  /** Everything a key needs stands in the row itself, so that a row cannot pass for another. */
  key(row: Row): Key
  /** A second way to find rows, blinded like keys. Several rows may share one. */
  index?(row: Row): Uint8Array | undefined
  /** Sealed without an account id, because rows exist before there is an account. */
  readonly beforeAccount?: true
  /**
   * What stands in these rows can be made anew: one that does not open (damaged, or of another version) counts as not there,
   * and the next writing step that meets it removes it. Everywhere else such a row is an error.
   */
  readonly renewable?: true
}

/** Rows below `prefix`, ascending by what follows it. `after` and `before` are exclusive bounds of the next number. */
export interface Range {
  readonly prefix?: Key
  readonly after?: number
  readonly before?: number
  readonly limit?: number
  /** Newest first: the limit then keeps the last rows. */
  readonly reverse?: boolean
}

/** Rows are values: what was handed out is never changed in place. */
export interface ReadTransaction {
  get<Row>(table: Table<Row>, key: Key): Promise<Row | undefined>
  /** The first row (by key) with this index value. */
  find<Row>(table: Table<Row>, index: Uint8Array): Promise<Row | undefined>
  /** Every row with this index value. */
  findAll<Row>(table: Table<Row>, index: Uint8Array): Promise<Row[]>
  list<Row>(table: Table<Row>, range?: Range): Promise<Row[]>
}

export interface WriteTransaction extends ReadTransaction {
  /** Visible to this transaction at once, written when the step ends. */
  put<Row>(table: Table<Row>, row: Row): void
  delete<Row>(table: Table<Row>, key: Key): void
  /** From here on rows are sealed for this account; once, in the transaction that stores it. */
  setAccount(accountId: Uint8Array): void
}

/**
 * The device's durable state. Invariants, held by the compliance suite for every implementation:
 * 1. A step sees one state, and two write steps never overlap, in this or any other context on the same database.
 * 2. `write` settles only after everything is on disk; if the step or the database fails, nothing of it is.
 * 3. Nothing readable reaches the disk: values are sealed, byte strings in keys are blinded.
 *
 * A step must not await anything but the transaction it is given: the transaction would end under it (`inactive`), and
 * nothing of the step is stored. @throws StoreError from every method.
 */
export interface ClientStore {
  read<T>(step: (tx: ReadTransaction) => Promise<T>): Promise<T>
  write<T>(step: (tx: WriteTransaction) => Promise<T>): Promise<T>
  /** Lets go of the database; steps already begun finish. */
  close(): void
  /** Deletes the database and everything in it. */
  destroy(): Promise<void>
}
