import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { preact } from '@preact/preset-vite'
import { playwright } from '@vitest/browser-playwright'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { installedBrowser, browserArguments } from './.ci/find-browser.ts'
import { dialRaceCure } from './signaling/host/dial-race-plugin.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * The page carries its content security policy in a <meta> element, for hosts that set no headers. The development server
 * injects styles and its own client, which that policy rightly refuses; only there it is taken out.
 */
const developmentWithoutPolicy: Plugin = {
  name: 'development-without-policy',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace(/<meta[^>]*http-equiv="Content-Security-Policy"[^>]*>/is, ''),
}

const browser = process.env['VITEST'] === undefined ? undefined : installedBrowser()
const browserPath = browser === undefined ? {} : { executablePath: browser }

const { version } = JSON.parse(readFileSync(here('./package.json'), 'utf8')) as { version: string }

/** Where `npm run dev` finds the relay it started beside the development server. */
const relayOrigin = `http://127.0.0.1:${process.env['SOTTO_DEV_RELAY_PORT'] ?? '8787'}`

/** What tests in the browser import, directly or through the app. */
const bundledForTests = [
  ...['preact', 'preact/hooks', 'preact/jsx-runtime', 'preact/jsx-dev-runtime', '@preact/signals'],
  ...['@tanstack/virtual-core', 'qr', 'qr/decode.js', 'comlink', 'idb', 'cborg', 'axe-core', 'fast-check'],
  ...['chacha.js', 'aes.js'].map((file) => `@noble/ciphers/${file}`),
  ...['sha2.js', 'sha3.js', 'hmac.js', 'hkdf.js'].map((file) => `@noble/hashes/${file}`),
  ...['@noble/curves/ed25519.js', '@noble/post-quantum/ml-kem.js', 'libsodium'],
]

/** `vitest run --mode slow` runs the long tests and nothing else. */
const testNames = (mode: string) =>
  mode === 'slow' ? { ending: 'slow.test', others: [] } : { ending: 'test', others: ['**/*.slow.test.ts'] }

export default defineConfig(({ mode }) => ({
  root: here('./app'),
  cacheDir: here('./node_modules/.vite'),
  plugins: [preact({ devToolsEnabled: false }), dialRaceCure(), developmentWithoutPolicy],
  // Shown in the settings and in problem reports.
  define: { 'import.meta.env.SOTTO_VERSION': JSON.stringify(version) },
  resolve: {
    alias: {
      '@noble/curves/secp256k1.js': here('./signaling/host/no-secp256k1.ts'),
      weald: here('./signaling/host/no-debug-log.ts'),
    },
  },
  // The development server bundles dependencies by itself, past the plugins above.
  optimizeDeps: { rolldownOptions: { plugins: [dialRaceCure()] } },
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    target: 'es2024',
    manifest: true,
    // Inlined data: URLs would need exceptions in the content security policy.
    assetsInlineLimit: 0,
    // The polyfill is an inline script, which the content security policy refuses; every browser we support has preload.
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { proxy: { '/relay.json': relayOrigin } },
  test: {
    projects: [
      {
        root: here('.'),
        test: {
          name: 'node',
          environment: 'node',
          // Fuzzers and handshakes are work for the processor; on two busy cores they take their time.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          include: [
            `{protocol,signaling,node,.ci}/**/*.${testNames(mode).ending}.ts`,
            `app/**/*.node.${testNames(mode).ending}.ts`,
          ],
          exclude: ['node_modules', 'dist', 'protocol/bench', 'protocol/mutation', ...testNames(mode).others],
          // The patched dependency must pass through our plugins, as it does in the build.
          server: { deps: { inline: [/@libp2p\/webrtc/] } },
        },
      },
      {
        root: here('.'),
        // Found one by one while tests run, dependencies would make the page reload under them.
        optimizeDeps: { include: bundledForTests },
        test: {
          name: 'browser',
          // Two engines with real cryptography and databases in one page; the same two busy cores.
          testTimeout: 30_000,
          include: [`app/**/*.${testNames(mode).ending}.{ts,tsx}`],
          exclude: ['node_modules', 'dist', 'app/e2e', 'app/**/*.node.*.ts', ...testNames(mode).others],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { ...browserPath, args: browserArguments } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
}))
