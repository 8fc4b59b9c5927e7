import type { LocalIdentity } from '../../protocol/session/session.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import { accountTable, type AccountRow } from '../store/records/account.ts'

/** This device's account, or undefined before onboarding. */
export const readAccount = (tx: ReadTransaction): Promise<AccountRow | undefined> => tx.get(accountTable, [0])

/** The account as a step after onboarding needs it. @throws Error when there is none: a bug in the caller. */
export const requireAccount = async (tx: ReadTransaction): Promise<AccountRow> => {
  const account = await readAccount(tx)
  if (!account) throw new Error('there is no account on this device yet')
  return account
}

export const localIdentity = ({ accountId, head, device }: AccountRow): LocalIdentity => ({ accountId, head, device })
