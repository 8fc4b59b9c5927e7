import { cryptoProviderSuite } from '../../protocol/crypto/provider.suite.ts'
import { loadSodium } from './load-sodium.ts'
import { sameAsNoble } from './same-as-noble.suite.ts'

const sodium = await loadSodium()

cryptoProviderSuite('libsodium', sodium)
sameAsNoble(sodium)
