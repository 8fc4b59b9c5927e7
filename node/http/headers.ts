/**
 * Headers of every answer. The policy lets the app run its own scripts and nothing else, and open WebSockets to any relay:
 * which relays a person uses is theirs to say. Trusted Types make the page refuse markup and script from strings.
 *
 * `wasm-unsafe-eval` lets scripts of ours compile WebAssembly, and nothing else: strings are still never run. It is there for
 * libsodium, beside which plain JavaScript takes 13 times as long for what costs most (X25519 1.02 ms instead of 0.08,
 * verifying a signature 1.08 ms instead of 0.08; `app/crypto/README.md`).
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self' ws: wss:",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types sotto',
].join('; ')

export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // The camera reads invite codes; nothing else is asked for.
  'Permissions-Policy': 'camera=(self), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()',
}
