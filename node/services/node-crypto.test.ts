import { cryptoProviderSuite } from '../../protocol/crypto/provider.suite.ts'
import { nodeCrypto } from './node-crypto.ts'

cryptoProviderSuite('noble with OpenSSL signatures', nodeCrypto)
