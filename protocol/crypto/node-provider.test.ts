import { nodeProvider } from './node-provider.fixture.ts'
import { cryptoProviderSuite } from './provider.suite.ts'

cryptoProviderSuite('OpenSSL', nodeProvider)
